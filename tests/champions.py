"""A small champion, signed: for tests of whoever opens one. Real trees, made in a blink."""

import hashlib
from functools import cache
from typing import NamedTuple

import msgspec
import numpy as np
import sklearn
import skops.io
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from stream_app.contract import wire
from stream_app.contract.models import ChampionAnnounced, GoldenRow, Manifest
from stream_app.core import features
from stream_app.scoring.champion import cpu_features
from stream_app.scoring.encoder import Encoder

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED_KEY = KEY.public_key().public_bytes_raw()
KNOWN_CODE = 7.0
ENCODINGS = {name: {str(int(KNOWN_CODE)): 0.5, "11": -0.5} for name in features.CATEGORICAL}
DEFAULTS = dict.fromkeys(features.CATEGORICAL, 0.1)
LEVEL_LOG = 12.0
ERRORS = tuple(0.01 * (1 + place) for place in range(20))


class Announced(NamedTuple):
    bundle: bytes
    announced: ChampionAnnounced


def rows(count: int = 40) -> NDArray[np.float64]:
    """Raw feature rows: some values unknown, codes both known and never seen."""
    generator = np.random.default_rng(0)
    made = generator.normal(5, 1, (count, len(features.NAMES)))
    made[generator.random(made.shape) < 0.1] = np.nan
    for name in features.CATEGORICAL:
        made[:, features.NAMES.index(name)] = generator.choice([7.0, 11.0, 99.0, np.nan], count)
    return made


def encode(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    return Encoder(features.NAMES, ENCODINGS, DEFAULTS)(raw)


@cache
def regressor(level_log: float = LEVEL_LOG) -> HistGradientBoostingRegressor:
    known = encode(rows(400))
    log_price = level_log + np.nan_to_num(known[:, 0]) / 10
    with threadpool_limits(limits=1, user_api="openmp"):  # busy cores: see offline/train.py
        return HistGradientBoostingRegressor(
            max_iter=10, max_leaf_nodes=7, early_stopping=False, random_state=0
        ).fit(known, log_price)


def announced(model: BaseEstimator | None = None, **changes: object) -> Announced:
    """A bundle and its announcement; `changes` are made to the manifest before it is signed."""
    return _announced(regressor() if model is None else model, regressor(), changes)


def at_level(level_log: float, version: str) -> Announced:
    """A champion of its own: prices around exp(level_log)."""
    return _announced(regressor(level_log), regressor(level_log), {"version": version})


def _announced(
    model: BaseEstimator, wanted: HistGradientBoostingRegressor, changes: dict[str, object]
) -> Announced:
    bundle = skops.io.dumps(model)
    golden = rows()
    with threadpool_limits(limits=1, user_api="openmp"):
        golden_log_prices = wanted.predict(encode(golden)).tolist()
    manifest = Manifest(
        market="king-county",
        version="c1",
        bundle_sha256=hashlib.sha256(bundle).hexdigest(),
        bundle_bytes=len(bundle),
        reference_sha256=None,
        feature_names=features.NAMES,
        feature_set=features.FEATURE_SET,
        encodings=ENCODINGS,
        encoding_defaults=DEFAULTS,
        golden_rows=tuple(
            GoldenRow(tuple(None if np.isnan(v) else v for v in row), log_price)
            for row, log_price in zip(golden.tolist(), golden_log_prices, strict=True)
        ),
        holdout_abs_log_errors=ERRORS,
        metrics={},
        trained_from_ms=0,
        trained_to_ms=1,
        training_rows=400,
        data_sha256="",
        seed=0,
        library_versions={"scikit-learn": sklearn.__version__},
        cpu_features=cpu_features(),
        made_ms=1,
    )
    manifest = msgspec.structs.replace(manifest, **changes)
    return Announced(bundle, sign(manifest))


def sign(manifest: Manifest) -> ChampionAnnounced:
    return ChampionAnnounced(
        manifest=manifest,
        signature=KEY.sign(wire.manifest_bytes(manifest)).hex(),
        address=f"{manifest.bundle_sha256}.skops",
    )
