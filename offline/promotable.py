"""Would a scorer take this model? Asked of the scorer's own checks, on the model's own bytes.

Every check runs, so a model is told all that speaks against it. Not here: whether it is
better (compare.py) or good enough (the gate).
"""

from collections.abc import Iterator

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline import criteria
from offline.dataset import Dataset
from offline.train import Fitted, manifest_of
from stream_app.contract import wire
from stream_app.contract.models import ChampionAnnounced
from stream_app.contract.rejects import ModelRefused
from stream_app.scoring import champion, checks

MB = 1_000_000
# A micro-batch of one home waits that long for its price; trees take 1 to 2.
MS_ALONE_MAX = 10.0


def objections(fitted: Fitted, dataset: Dataset, dumped: bytes, ms_alone: float) -> tuple[str, ...]:
    """What speaks against serving it; none: a scorer would.

    Parameters
    ----------
    dataset : what it was fitted to
    dumped : its regressor as a skops file
    ms_alone : processor time for one row alone
    """
    return tuple(_objections(fitted, dataset, dumped, ms_alone))


def _objections(fitted: Fitted, dataset: Dataset, dumped: bytes, ms_alone: float) -> Iterator[str]:
    manifest = manifest_of(dataset, fitted, dumped, seed=0, made_ms=0)
    key = Ed25519PrivateKey.generate()  # of this question alone: nobody trusts it
    signature = key.sign(wire.manifest_bytes(manifest)).hex()
    announced = ChampionAnnounced(manifest=manifest, signature=signature, address="")
    try:
        champion.load(dumped, announced, key.public_key().public_bytes_raw())
    except ModelRefused as refused:
        said, *_ = str(refused).splitlines()  # skops goes on with advice
        said = said.replace("Untrusted types found in the file: ", "").rstrip(".")
        yield said.removeprefix(f"champion {manifest.market} {manifest.version}: ")
    golden = checks.matrix([row.features for row in manifest.golden_rows])
    if np.isnan(fitted.predict_log(golden)).any():
        yield "no price for a home of which nothing is known"
    elif (failure := checks.batch_size_failure(fitted, golden)) is not None:
        yield failure
    mb_max = criteria.shipped().bundle_mb_max
    if len(dumped) > mb_max * MB:
        yield f"{len(dumped) / MB:.0f} MB, {mb_max:g} MB at most"
    if ms_alone > MS_ALONE_MAX:
        yield f"{ms_alone:.1f} ms for a row alone, {MS_ALONE_MAX:g} ms at most"
