"""`make` refuses a wrong variable before it installs anything. Not here: what the targets do."""

import subprocess

import pytest

from tests.architecture.tree import ROOT


def dry_run(*words: str) -> subprocess.CompletedProcess[str]:
    """What make would do; it does nothing."""
    command = ("make", "--dry-run", "--no-print-directory", *words)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("demo MARKET=paris", "MARKET=paris: choose one of: king-county hdb"),
        ("story MARKET=hdb", "MARKET=hdb: choose one of: king-county"),
        ("story VARIANT=x", "VARIANT=x: choose one of: both price-shock unit-error none"),
        ("story SEED=a", "SEED=a: a whole number from 0 is needed"),
        ("chaos SEED=", "SEED=: a whole number from 0 is needed"),
        ("chaos FAULTS=1e3", "FAULTS=1e3: a whole number from 1 is needed"),
        ("chaos EVENTS=0", "EVENTS=0: a whole number from 1 is needed"),
    ],
)
def test_a_wrong_variable_is_told_before_anything_is_installed(words: str, told: str) -> None:
    ran = dry_run(*words.split())

    assert (ran.returncode, ran.stdout) == (2, "")
    assert told in ran.stderr


@pytest.mark.parametrize("words", ["demo MARKET=hdb", "story VARIANT=none SEED=3", "chaos"])
def test_right_ones_are_taken(words: str) -> None:
    assert dry_run(*words.split()).returncode == 0
