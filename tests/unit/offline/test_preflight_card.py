"""The card of a pre-flight: on homes of which is known what a second model saves, how often it says so."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from monitoring import criteria
from offline import preflight, preflight_card
from offline.__main__ import main
from offline.preflight_card import Day, Row
from offline.splits import NotEnough
from stream_app.contract import wire
from tests import messages
from tests.builders import DAY_MS

HOMES_A_DAY = 60
BEFORE, NOW = list(preflight_card.RULES)[:2]


def market(days: int = 140) -> list[Day]:
    """Two models that are as good: a week is off for one of them, another week for the other."""
    draw = np.random.default_rng(5)
    weekly = draw.normal(0, 0.002, days // 7 + 1)
    served = [np.abs(draw.normal(0, 0.08, HOMES_A_DAY)) for _ in range(days)]
    return [
        Day(each, np.abs(each + weekly[number // 7] + draw.normal(0, 0.01, HOMES_A_DAY)))
        for number, each in enumerate(served)
    ]


def yes(rows: list[Row], rule: str, planted: float) -> float:
    return next(row.yes for row in rows if (row.rule, row.planted) == (rule, planted))


def test_a_saving_that_is_not_there_is_seen_less_often_than_by_a_bootstrap_of_two_weeks() -> None:
    rows = preflight_card.card(market(), draws=150, seed=1)

    assert 2 * yes(rows, NOW, 0.0) < yes(rows, BEFORE, 0.0)
    assert yes(rows, NOW, 0.1) > 0.95


def test_too_few_days_are_refused() -> None:
    with pytest.raises(NotEnough, match="homes of 60 days, 112 are needed"):
        preflight_card.card(market(60), draws=1, seed=1)


def test_the_card_judges_as_the_policy_does() -> None:
    assert criteria.shipped().saving_min == preflight_card.SAVING_MIN
    assert criteria.shipped().preflight_blocks_min == preflight.WEEKS


def outcomes(path: Path, prices: float, days: int = 120) -> Path:
    lines = [
        wire.encode(
            messages.outcome(
                listing_id=f"kc-{day}-{home}",
                listed_ms=day * DAY_MS,
                sold_ms=(day + 20) * DAY_MS,
                sale_price=100_000.0 + home,
                price=prices,
            )
        )
        for day in range(days)
        for home in range(8)
    ]
    path.write_bytes(b"\n".join(lines))
    return path


def test_the_command_joins_what_both_have_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = outcomes(tmp_path / "a.jsonl", 90_000.0)
    second = outcomes(tmp_path / "b.jsonl", 95_000.0)
    files = ["--served", str(first), "--retrained", str(second)]

    status = main(["preflight-card", *files, "--draws", "3", "--json"])

    told = msgspec.json.decode(capsys.readouterr().out)
    assert (status, told["days"], len(told["rows"])) == (0, 120, 15)


@pytest.mark.parametrize(
    ("given", "least"), [("--draws x", 1), ("--draws 0", 1), ("--seed x", 0), ("--seed -1", 0)]
)
def test_a_wrong_number_is_named_with_its_limit(
    given: str, least: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["preflight-card", "--served", "a", "--retrained", "b", *given.split()])

    told = f"{given.split()[1]!r}: a whole number from {least} is wanted"
    assert told in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--served", str(tmp_path / "no"), "--retrained", str(tmp_path / "no")]

    assert main(["preflight-card", *files]) == 2
    assert "No such file" in capsys.readouterr().err
