"""What differs is named; the same bundle is the same version, and close answers will do elsewhere."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from offline import reproduce
from offline.collector import Read
from offline.recipe import Recipe
from offline.reproduce import Made
from stream_app.contract.models import GoldenRow, Manifest
from tests import messages

SIGNED = messages.manifest(
    data_sha256="d1",
    bundle_sha256="b1",
    training_rows=1_000,
    library_versions={"numpy": "2.4.6"},
    cpu_features=("AVX2",),
    golden_rows=(GoldenRow((1.0, None), 12.0),),
)
READ = Read(0, 0, 100, 100, "r1", "t1")
RECIPE = Recipe(
    options={},
    seed=0,
    shape={},
    read=(READ,),
    files={"sales.csv": "f1"},
    dropped=(),
    rows=1_000,
    code_sha256="c1",
    lock_sha256="l1",
    reason="",
    by="anna",
)


def made(manifest: Manifest = SIGNED, **changes: object) -> Made:
    now = Made(
        read=(READ,),
        files={"sales.csv": "f1"},
        code_sha256="c1",
        lock_sha256="l1",
        manifest=manifest,
    )
    return msgspec.structs.replace(now, **changes)


def elsewhere(**changes: object) -> Manifest:
    return msgspec.structs.replace(SIGNED, **{"bundle_sha256": "b2", **changes})


def test_the_same_bundle_is_the_same_version_whatever_else_differs() -> None:
    report = reproduce.judge(SIGNED, RECIPE, made(lock_sha256="l2"), off=0.0)

    assert (report.reproduced, report.exact) == (True, True)
    assert report.differs == ("lock_sha256: was l1, is l2",)


def test_close_answers_will_do_where_something_differs() -> None:
    now = made(elsewhere(library_versions={"numpy": "2.5.0"}, cpu_features=("AVX512F",)))

    report = reproduce.judge(SIGNED, RECIPE, now, off=1e-12)

    assert (report.reproduced, report.exact) == (True, False)
    assert report.differs == (
        "numpy: was 2.4.6, is 2.5.0",
        "cpu_features: was AVX2, is AVX512F",
    )
    assert "numpy, cpu_features differ" in report.reason


def test_other_answers_are_another_model() -> None:
    report = reproduce.judge(SIGNED, RECIPE, made(elsewhere(), code_sha256="c2"), off=1e-3)

    assert not report.reproduced
    assert report.reason.startswith("another model, for code_sha256 differ")


def test_another_bundle_from_the_same_of_all_is_a_fault() -> None:
    report = reproduce.judge(SIGNED, RECIPE, made(elsewhere()), off=1e-12)

    assert not report.reproduced
    assert report.reason == "another bundle, though nothing that is recorded differs"


def test_other_data_are_named_down_to_the_file_and_the_offsets() -> None:
    now = made(
        elsewhere(data_sha256="d2", training_rows=990),
        files={},
        read=(Read(0, 10, 100, 90, "r2", "t1"),),
    )

    assert [str(each) for each in reproduce.data(SIGNED, RECIPE, now)] == [
        "data_sha256: was d1, is d2",
        "rows: was 1000, is 990",
        "file sales.csv: was f1, is not known",
        "partition 0, offsets: was 0 to 100, is 10 to 100",
        "partition 0, records' sha256: was r1, is r2",
    ]


def test_a_partition_that_is_gone_is_named() -> None:
    now = made(elsewhere(data_sha256="d2"), read=())

    assert "partition 0: was 100 records, is not there" in map(
        str, reproduce.data(SIGNED, RECIPE, now)
    )


def test_the_same_rows_are_the_same_data_wherever_they_stood() -> None:
    assert reproduce.data(SIGNED, RECIPE, made(read=())) == []


class Says:
    """A model that says the same of every row."""

    def __init__(self, log_price: float) -> None:
        self._log_price = log_price

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(len(rows), self._log_price)


def test_answers_are_compared_with_what_was_signed() -> None:
    assert reproduce.answers_off(SIGNED, Says(12.0)) == 0.0
    assert reproduce.answers_off(SIGNED, Says(12.0 * (1 + 1e-6))) > 1e-9
