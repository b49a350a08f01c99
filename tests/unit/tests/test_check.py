"""`make test` goes on where it can, fails if anything failed, and says how to repeat that."""

import re
from itertools import product

import pytest

from tests import check
from tests.check import Step

FINE = Step("fine", ("python", "-c", "print('all is well')"))
BROKEN = Step("broken", ("python", "-c", "print('all is lost'); raise SystemExit(3)"))
TESTED = Step("pytest", ("pytest", "--version"))


def test_a_lane_ends_at_its_first_failure_and_the_others_go_on(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert check.run([[[BROKEN, TESTED], [FINE]]]) == 3

    told = capfd.readouterr().out
    assert "all is well" in told
    assert "fine: ok" in told
    assert "broken: FAILED, exit status 3" in told
    assert "pytest: ok" not in told


def test_after_a_failure_no_other_group_begins(capfd: pytest.CaptureFixture[str]) -> None:
    assert check.run([[[BROKEN]], [[FINE]]]) == 3

    assert "all is well" not in capfd.readouterr().out


def test_what_failed_is_shown_at_the_end_once_with_the_command_fit_for_a_shell(
    capfd: pytest.CaptureFixture[str],
) -> None:
    check.run([[[BROKEN], [FINE]]])

    told = capfd.readouterr().out
    assert told.count("\nall is lost\n") == 1
    assert told.index("all is well") < told.index("\nall is lost\n") < told.index("== summary")
    alone = """python -c 'print('"'"'all is lost'"'"'); raise SystemExit(3)'"""
    assert told.rstrip().endswith(alone)


def test_the_last_line_has_the_totals_of_all_runs_of_pytest(
    capfd: pytest.CaptureFixture[str],
) -> None:
    one = Step("one", ("python", "-c", "print('== 1 skipped, 7 passed in 2.00s ==')", "pytest"))
    two = Step("two", ("python", "-c", "print('= 3 passed, 9 deselected in 1.00s =')", "pytest"))

    assert check.run([[[one], [two]]]) == 0

    assert "===== 1 skipped, 10 passed in " in capfd.readouterr().out.splitlines()[-1]


def test_every_test_is_run_once_whatever_its_marks() -> None:
    for marked in product((True, False), repeat=3):
        marks = dict(zip(("broker", "slow", "chaos"), marked, strict=True))

        chosen = [eval(part, {}, marks) for part in check.PARTS]  # noqa: S307 - our own words

        assert sum(chosen) == 1, marks


def test_every_part_is_run() -> None:
    commands = [step.command for lane in check.TESTS for step in lane if "pytest" in step.command]

    parts = [command[command.index("-m", command.index("pytest")) + 1] for command in commands]
    assert sorted(parts) == sorted([check.NO_BROKER, check.NO_BROKER, *check.PARTS])


def test_whatever_needs_a_broker_is_where_it_is_looked_for() -> None:
    marked = re.compile(r"mark\.(broker|slow|chaos)\b")

    found = {
        "/".join(path.relative_to(check.ROOT).parts[:2])
        for path in check.ROOT.joinpath("tests").rglob("test_*.py")
        if marked.search(path.read_text())
    }

    assert found == set(check.WITH_BROKER)
