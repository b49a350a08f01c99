"""`make test` stops at the first failure and says how to repeat it."""

import pytest

from tests import check
from tests.check import Step

FINE = Step("fine", ("python", "-c", "print('all is well')"))
BROKEN = Step("broken", ("python", "-c", "raise SystemExit(3)"))
PYTEST = Step("tests", ("pytest", "--version"))


def test_the_exit_status_is_that_of_the_first_failure(capfd: pytest.CaptureFixture[str]) -> None:
    assert check.run([FINE, BROKEN, PYTEST]) == 3

    told = capfd.readouterr().out
    assert "all is well" in told
    assert "broken: FAILED, exit status 3" in told
    assert "broken failed; alone: " in told
    assert "tests: ok" not in told


def test_without_a_failure_the_status_is_0_and_the_last_line_is_pytests(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert check.run([PYTEST, FINE]) == 0

    assert capfd.readouterr().out.splitlines()[-1].startswith("pytest 9.")


def test_the_command_to_repeat_is_fit_for_a_shell(capfd: pytest.CaptureFixture[str]) -> None:
    check.run([BROKEN])

    assert capfd.readouterr().out.rstrip().endswith("python -c 'raise SystemExit(3)'")


def test_nothing_is_tested_twice_or_never() -> None:
    parts = [step.command[-1] for step in check.TESTS if "pytest" in step.command]

    assert parts == [f"not ({check.NEEDS_THE_WORLD})", check.NEEDS_THE_WORLD]
