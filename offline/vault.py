"""The store's files with the key that signs them: nothing is taken out unless it was put in so.

Not here: which version a file is of (registry.py), how bytes are named (bundle.py).
"""

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from offline import bundle, keys, reference
from offline.dataset import Dataset
from offline.settings import OfflineSettings
from offline.train import Candidate, manifest_of
from stream_app.contract import wire
from stream_app.contract.models import ChampionAnnounced, Manifest
from stream_app.contract.rejects import ModelRefused
from stream_app.scoring import champion
from stream_app.scoring.champion import Champion


class Vault:
    """One store and one key."""

    def __init__(self, settings: OfflineSettings) -> None:
        self._store = Path(settings.model_store)
        self._key_file = Path(settings.signing_key_file)

    def keep(self, candidate: Candidate, made_ms: int, dataset: Dataset) -> ChampionAnnounced:
        """Put the bundle in, and its drift reference; sign."""
        drift = reference.sample(dataset, candidate.holdout, candidate.holdout_log)
        manifest = msgspec.structs.replace(
            candidate.champion.manifest,
            made_ms=made_ms,
            reference_sha256=bundle.put(self._store, drift, ".parquet"),
        )
        return self._sign(candidate.bundle, manifest)

    def keep_judged(self, candidate: Candidate, made_ms: int) -> ChampionAnnounced:
        """Put the fit without its holdout in; sign.

        Its interval starts from errors before the holdout: those of the holdout would be a leak.
        """
        dumped = bundle.dump(candidate.judged.regressor)
        seed = candidate.champion.manifest.seed
        manifest = manifest_of(candidate.older, candidate.judged, dumped, seed, made_ms)
        return self._sign(
            dumped,
            msgspec.structs.replace(
                manifest, holdout_abs_log_errors=candidate.judged_abs_log_errors
            ),
        )

    def open(self, announced: ChampionAnnounced) -> Champion:
        """The champion as a scorer will have it, checked as a scorer will check it.

        Raises
        ------
        ModelRefused : signature, bytes or answers are not what was signed
        """
        return champion.load(self._bundle(announced), announced, self.trusted_key())

    def reference(self, announced: ChampionAnnounced) -> pa.Table | None:
        """The sample of what it was trained on (reference.py); None: not there any more."""
        path = self._store / f"{announced.manifest.reference_sha256}.parquet"
        return pq.read_table(path) if path.is_file() else None

    def verify(self, announced: ChampionAnnounced) -> None:
        """See that manifest and bundle are still those that were signed; open nothing.

        Raises
        ------
        ModelRefused : signature or bytes are not what was signed
        """
        champion.verify(self._bundle(announced), announced, self.trusted_key())

    def trusted_key(self) -> bytes:
        """The public half of the key that signs here."""
        return keys.trusted_key(self._key_file)

    def remove(self, file: str) -> None:
        """Take a file out, if it is there."""
        (self._store / file).unlink(missing_ok=True)

    def _sign(self, dumped: bytes, manifest: Manifest) -> ChampionAnnounced:
        bundle_hash = bundle.put(self._store, dumped, ".skops")
        key = keys.signing_key(self._key_file)
        return ChampionAnnounced(
            manifest=manifest,
            signature=key.sign(wire.manifest_bytes(manifest)).hex(),
            address=f"{bundle_hash}.skops",
        )

    def _bundle(self, announced: ChampionAnnounced) -> bytes:
        path = self._store / announced.address
        try:
            return path.read_bytes()
        except OSError as error:
            version = announced.manifest.version
            raise ModelRefused(f"{version}: no bundle at {path}: {error.strerror}") from None
