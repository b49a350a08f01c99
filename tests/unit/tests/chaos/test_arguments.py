"""What the chaos run cannot take is named with its limit, before anything is started."""

import pytest

from tests.chaos.__main__ import main


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("--seed x", "'x': a whole number from 0 is wanted"),
        ("--seed -1", "'-1': a whole number from 0 is wanted"),
        ("--seed 1 --faults x", "'x': a whole number from 1 is wanted"),
        ("--seed 1 --events 0", "'0': a whole number from 1 is wanted"),
        ("--seed 1 --workers 1", "'1': a whole number from 2 is wanted"),
    ],
)
def test_a_wrong_number_is_named_with_its_limit(
    given: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(given.split())

    assert told in capsys.readouterr().err
