"""Bytes to a checked champion. Nothing is opened before its signature and hash are right.

In this order: signature, size, hash, feature set, library version, types, golden
rows, batch sizes. Whatever fails raises `ModelRefused`, and the old model stays.
Pure: the bytes and the trusted key come from the caller (shell/model_feed.py).
"""

import hashlib
import hmac
import zipfile
from typing import Any, Final

import numpy as np
import sklearn
import skops.io
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from skops.io.exceptions import UntrustedTypesFoundException

from stream_app.contract import wire
from stream_app.contract.models import ChampionAnnounced, Manifest
from stream_app.contract.rejects import ModelRefused
from stream_app.core import features
from stream_app.scoring import checks
from stream_app.scoring.encoder import Encoder
from stream_app.scoring.forest import Forest
from stream_app.scoring.interval import quantile
from stream_app.scoring.scope import Limits

# All that a bare gradient boosting needs beyond what skops trusts by itself. Fixed:
# asking the file for its types and trusting those would trust anything.
ALLOWED_TYPES: Final = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)


class Champion:
    """A price model with its manifest. Implements stages.step.PriceModel."""

    def __init__(self, regressor: HistGradientBoostingRegressor, manifest: Manifest) -> None:
        self.manifest = manifest
        self._forest = Forest(regressor)
        self._used = self._forest.used(len(features.NAMES))
        self._limits = None
        if manifest.scope is not None:
            self._limits = Limits(
                manifest.scope, manifest.feature_names, manifest.encodings, self._used
            )
        self._encode = Encoder(
            manifest.feature_names, manifest.encodings, manifest.encoding_defaults
        )
        errors = np.array(manifest.holdout_abs_log_errors)
        mean = float(errors.mean()) if errors.size else 0.0
        self._scale = mean if mean > 0 else None
        self._score_quantile = quantile(errors / self._scale) if self._scale is not None else None

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def used(self) -> NDArray[np.bool_]:
        """Shape (features,): which features it looks at."""
        return self._used

    @property
    def limits(self) -> Limits | None:
        """What it was made for; None of a manifest that does not say."""
        return self._limits

    @property
    def scale(self) -> float | None:
        """Mean |log residual| on the holdout; None without one."""
        return self._scale

    @property
    def score_quantile(self) -> float | None:
        """90 % quantile of |log residual| / scale on the holdout; None if that is too small."""
        return self._score_quantile

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log prices, shape (n,), of raw feature rows, shape (n, features); NaN is unknown."""
        return self._forest.predict(self._encode(rows))


def load(bundle: bytes, announced: ChampionAnnounced, trusted_key: bytes) -> Champion:
    """Check and open what was announced.

    Parameters
    ----------
    bundle : the skops file
    trusted_key : raw Ed25519 public key, 32 bytes; whoever signs with its other half is trusted

    Raises
    ------
    ModelRefused : a check failed; names the version and what is wrong
    """
    verify(bundle, announced, trusted_key)
    manifest = announced.manifest
    failure = _manifest_failure(manifest)
    if failure is None:
        champion = Champion(_open(bundle, manifest), manifest)
        recheck(champion, announced)
        failure = checks.batch_size_failure(
            champion, checks.matrix([row.features for row in manifest.golden_rows])
        )
        if failure is None:
            return champion
    raise ModelRefused(_message(manifest, failure))


def verify(bundle: bytes, announced: ChampionAnnounced, trusted_key: bytes) -> None:
    """See that manifest and bundle are those that were signed. Opens nothing.

    Raises
    ------
    ModelRefused : names the version and what is wrong
    """
    manifest = announced.manifest
    failure = _signature_failure(announced, trusted_key) or _bytes_failure(bundle, manifest)
    if failure is not None:
        raise ModelRefused(_message(manifest, failure))


def recheck(model: checks.PredictsLog, announced: ChampionAnnounced) -> None:
    """See that an open model still says what it must to its golden rows.

    Raises
    ------
    ModelRefused : it says something else
    """
    manifest = announced.manifest
    exact = manifest.cpu_features == cpu_features()
    failure = checks.golden_rows_failure(model, manifest.golden_rows, exact=exact)
    if failure is not None:
        raise ModelRefused(_message(manifest, failure))


def cpu_features() -> tuple[str, ...]:
    """What this CPU can do that numpy makes use of: it decides the last bits of a sum."""
    found: dict[str, bool] = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    return tuple(sorted(name for name, there in found.items() if there))


def _message(manifest: Manifest, failure: str) -> str:
    return f"champion {manifest.market} {manifest.version}: {failure}"


def _signature_failure(announced: ChampionAnnounced, trusted_key: bytes) -> str | None:
    try:
        Ed25519PublicKey.from_public_bytes(trusted_key).verify(
            bytes.fromhex(announced.signature), wire.manifest_bytes(announced.manifest)
        )
    except ValueError as error:
        return f"signature or trusted key unreadable: {error}"
    except InvalidSignature:
        return "signature is not by the trusted key"
    return None


def _bytes_failure(bundle: bytes, manifest: Manifest) -> str | None:
    if len(bundle) != manifest.bundle_bytes:
        return f"bundle has {len(bundle)} bytes, announced {manifest.bundle_bytes}"
    found = hashlib.sha256(bundle).hexdigest()
    if not hmac.compare_digest(found, manifest.bundle_sha256):
        return f"bundle has SHA-256 {found}, announced {manifest.bundle_sha256}"
    return None


def _manifest_failure(manifest: Manifest) -> str | None:
    if manifest.feature_set != features.FEATURE_SET or manifest.feature_names != features.NAMES:
        return f"made for feature set {manifest.feature_set}, this is {features.FEATURE_SET}"
    wanted = set(features.CATEGORICAL)
    if set(manifest.encodings) != wanted or set(manifest.encoding_defaults) != wanted:
        return f"encodings for {sorted(manifest.encodings)}, wanted {sorted(wanted)}"
    made_with = manifest.library_versions.get("scikit-learn")
    if made_with != sklearn.__version__:
        return f"made with scikit-learn {made_with}, this is {sklearn.__version__}"
    return None


def _open(bundle: bytes, manifest: Manifest) -> HistGradientBoostingRegressor:
    """Open the very bytes that were hashed."""
    try:
        opened: Any = skops.io.loads(bundle, trusted=list(ALLOWED_TYPES))
    except UntrustedTypesFoundException as error:
        raise ModelRefused(_message(manifest, f"holds a type not allowed: {error}")) from error
    except (zipfile.BadZipFile, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ModelRefused(_message(manifest, f"cannot be opened: {error!r}")) from error
    if type(opened) is not HistGradientBoostingRegressor:
        raise ModelRefused(_message(manifest, f"is a {type(opened).__name__}"))
    if opened.n_features_in_ != len(features.NAMES):
        raise ModelRefused(
            _message(manifest, f"wants {opened.n_features_in_} features, not {len(features.NAMES)}")
        )
    return opened
