"""A champion serves only if every check holds; each that fails says what it was."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer

from stream_app.contract import wire
from stream_app.contract.models import ChampionAnnounced, GoldenRow, Scope
from stream_app.contract.rejects import ModelRefused
from stream_app.core import features
from stream_app.scoring import champion
from stream_app.scoring.forest import Forest
from tests import champions
from tests.champions import TRUSTED_KEY, Announced


def load(given: Announced, key: bytes = TRUSTED_KEY) -> champion.Champion:
    return champion.load(given.bundle, given.announced, key)


def with_bundle(bundle: bytes, **changes: object) -> Announced:
    """Another bundle, announced and signed as it is."""
    given = champions.announced(
        bundle_sha256=hashlib.sha256(bundle).hexdigest(), bundle_bytes=len(bundle), **changes
    )
    return Announced(bundle, given.announced)


def test_what_was_announced_and_is_whole_serves() -> None:
    loaded = load(champions.announced())

    rows = champions.rows()
    assert loaded.version == "c1"
    assert np.array_equal(
        loaded.predict_log(rows), champions.regressor().predict(champions.encode(rows))
    )


def test_an_announcement_that_went_over_the_wire_serves() -> None:
    given = champions.announced()
    read = wire.decode_model_message(wire.encode(given.announced))

    assert isinstance(read, ChampionAnnounced)
    assert load(Announced(given.bundle, read)).version == "c1"


def test_raw_rows_are_left_as_they_were() -> None:
    rows = champions.rows()
    before = rows.copy()

    load(champions.announced()).predict_log(rows)

    assert np.array_equal(rows, before, equal_nan=True)


def test_the_interval_starts_from_the_holdout() -> None:
    loaded = load(champions.announced())

    assert loaded.scale == pytest.approx(0.105)
    assert loaded.score_quantile == pytest.approx(0.19 / 0.105)


@pytest.mark.parametrize("errors", [(), (0.0, 0.0)], ids=["none", "all zero"])
def test_without_errors_on_a_holdout_no_interval_is_promised(errors: tuple[float, ...]) -> None:
    loaded = load(champions.announced(holdout_abs_log_errors=errors))

    assert (loaded.scale, loaded.score_quantile) == (None, None)


def test_few_errors_on_a_holdout_give_a_scale_but_no_quantile() -> None:
    loaded = load(champions.announced(holdout_abs_log_errors=(0.1, 0.3)))

    assert loaded.scale == pytest.approx(0.2)
    assert loaded.score_quantile is None


def test_a_manifest_changed_after_signing_is_refused() -> None:
    given = champions.announced()
    changed = msgspec.structs.replace(given.announced.manifest, version="c2")
    forged = msgspec.structs.replace(given.announced, manifest=changed)

    with pytest.raises(ModelRefused, match=r"king-county c2: signature is not by the trusted key"):
        load(Announced(given.bundle, forged))


@pytest.mark.parametrize(
    ("key", "says"),
    [(bytes(32), "not by the trusted key"), (b"short", "unreadable")],
    ids=["another key", "no key"],
)
def test_another_key_is_refused(key: bytes, says: str) -> None:
    with pytest.raises(ModelRefused, match=says):
        load(champions.announced(), key)


def test_a_signature_that_is_no_hex_is_refused() -> None:
    given = champions.announced()
    forged = msgspec.structs.replace(given.announced, signature="not hex")

    with pytest.raises(ModelRefused, match="signature or trusted key unreadable"):
        load(Announced(given.bundle, forged))


def test_a_bundle_cut_short_is_refused() -> None:
    given = champions.announced()

    with pytest.raises(ModelRefused, match=r"bundle has \d+ bytes, announced \d+"):
        load(Announced(given.bundle[:-1], given.announced))


def test_a_flipped_bit_is_refused_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def opened(*args: object, **kwargs: object) -> None:
        pytest.fail("opened")

    given = champions.announced()
    flipped = bytes([given.bundle[0] ^ 1]) + given.bundle[1:]
    monkeypatch.setattr(skops.io, "loads", opened)

    with pytest.raises(ModelRefused, match="bundle has SHA-256"):
        load(Announced(flipped, given.announced))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"feature_set": "another"}, "made for feature set another"),
        ({"feature_names": features.NAMES[:-1]}, "made for feature set"),
        ({"encodings": {}}, r"encodings for \[\]"),
        ({"encoding_defaults": {}}, "encodings for"),
        ({"library_versions": {}}, "made with scikit-learn None"),
        ({"library_versions": {"scikit-learn": "0.1"}}, "made with scikit-learn 0.1"),
        ({"golden_rows": ()}, "no golden rows"),
        ({"golden_rows": (GoldenRow((1.0,) * len(features.NAMES), 1.0),)}, "1 of 1 golden rows"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_manifest_that_does_not_fit_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ModelRefused, match=says):
        load(champions.announced(**changes))


def test_a_golden_row_off_in_its_last_bit_is_refused_on_the_same_cpu() -> None:
    with pytest.raises(ModelRefused, match="40 of 40 golden rows differ"):
        load(champions.announced(golden_rows=off_by_a_bit()))


def test_a_golden_row_off_in_its_last_bit_passes_on_another_cpu() -> None:
    given = champions.announced(golden_rows=off_by_a_bit(), cpu_features=("ABACUS",))

    assert load(given).version == "c1"


def off_by_a_bit() -> tuple[GoldenRow, ...]:
    golden = champions.announced().announced.manifest.golden_rows
    return tuple(
        msgspec.structs.replace(row, log_price=float(np.nextafter(row.log_price, 99)))
        for row in golden
    )


def test_bytes_that_are_no_skops_file_are_refused() -> None:
    with pytest.raises(ModelRefused, match="cannot be opened"):
        load(with_bundle(b"no zip"))


def test_a_type_that_is_not_on_the_list_is_refused() -> None:
    bundle = skops.io.dumps(FunctionTransformer(func=Path.unlink))

    with pytest.raises(ModelRefused, match="holds a type not allowed"):
        load(with_bundle(bundle))


def test_another_estimator_is_refused_whatever_it_says() -> None:
    model = Ridge().fit(champions.encode(np.zeros((2, len(features.NAMES)))), [0.0, 1.0])

    with pytest.raises(ModelRefused, match="is a Ridge"):
        load(champions.announced(model))


def test_a_model_of_another_width_is_refused() -> None:
    model = HistGradientBoostingRegressor(max_iter=1).fit(np.zeros((30, 3)), np.arange(30.0))

    with pytest.raises(ModelRefused, match="wants 3 features"):
        load(champions.announced(model))


def test_a_model_that_answers_otherwise_in_another_batch_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = champions.announced()
    monkeypatch.setattr(Forest, "predict", lambda self, rows: golden_log_prices(given, len(rows)))

    with pytest.raises(ModelRefused, match="other bits in another batch size"):
        load(given)


def golden_log_prices(given: Announced, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Right for all golden rows together, and for nothing else."""
    golden = given.announced.manifest.golden_rows
    return np.array(
        [row.log_price for row in golden[:1] * count if count != len(golden)]
        or [row.log_price for row in golden]
    )


def test_a_champion_says_which_features_it_looks_at() -> None:
    loaded = load(champions.announced())
    rows = champions.rows()
    used = [place for place, each in enumerate(loaded.used.tolist()) if each]
    unused = [place for place, each in enumerate(loaded.used.tolist()) if not each]

    others = rows.copy()
    others[:, unused] = 77.0

    assert features.NAMES.index("home_log_area") in used
    assert np.array_equal(loaded.predict_log(others), loaded.predict_log(rows))


def test_a_champion_that_declares_no_scope_marks_nothing() -> None:
    assert load(champions.announced()).limits is None


def test_a_declared_scope_is_at_work() -> None:
    scope = Scope(ranges={"home_log_area": (0.0, 1.0)}, property_types=(), prices=(0.0, 1.0))
    loaded = load(champions.announced(scope=scope))

    assert loaded.limits is not None
    assert any("home_log_area" in each.outside for each in loaded.limits.marks(champions.rows()))


def test_a_manifest_without_a_scope_has_the_bytes_of_before_there_was_one() -> None:
    assert b"scope" not in wire.manifest_bytes(champions.announced().announced.manifest)
