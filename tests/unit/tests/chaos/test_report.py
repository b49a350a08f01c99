"""A run is judged by what was compared, and by what failed; a control by both, too."""

import pytest

from tests.chaos.report import Report, recovery


def report(control: str | None, lost: int, failures: list[str]) -> Report:
    return Report(
        seed=1,
        control=control,
        red=lost > 0,
        faults={},
        faults_planned=0,
        events=1,
        counts={},
        lost=lost,
        visible_twice=0,
        non_identical=0,
        out_of_order=0,
        wrong_state=0,
        failures=failures,
        recovery=recovery([]),
        worker_exits={},
        duration_s=1.0,
        broker="own",
        versions={},
    )


@pytest.mark.parametrize(
    ("control", "lost", "failures", "ok"),
    [
        (None, 0, [], True),
        (None, 1, [], False),
        (None, 0, ["no recovery"], False),
        ("dedupe-off", 1, [], True),
        ("dedupe-off", 0, [], False),
        ("dedupe-off", 0, ["worker never started"], False),
        ("dedupe-off", 1, ["worker never started"], False),
    ],
)
def test_a_control_must_be_red_by_what_was_compared(
    control: str | None, lost: int, failures: list[str], ok: bool
) -> None:
    assert report(control, lost, failures).ok is ok
