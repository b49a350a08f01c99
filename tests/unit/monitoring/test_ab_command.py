"""The command finds the test that was begun last, and its listings, in a real archive."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from monitoring import ab_command, ab_rows, ab_verdict, criteria
from monitoring.__main__ import main
from monitoring.ab_rows import Contest, Stretch
from monitoring.frames import Market
from stream_app.contract import wire
from stream_app.contract.models import Activated, RolloutMode
from stream_app.contract.predictions import Arm
from stream_app.contract.topics import ACTIVATIONS
from stream_app.scoring.rollout import arm_of
from tests import flow, messages
from tests.unit.monitoring.archives import PREFIX, put, put_pairs

AB: dict[str, Any] = {"champion": "v1", "challenger": "v2", "mode": RolloutMode.AB, "share": 0.5}


def activated(from_offset: int, partition: int = 0, **changes: object) -> Activated:
    given = {"partition": partition, "from_offset": from_offset, "market": flow.MARKET} | changes
    return messages.activated(**given)


def dealt(pairs: list[flow.Pair]) -> list[flow.Pair]:
    """With the arm that a scorer would give each."""
    arms = [arm_of(pair.prediction.listing_id, 0.5) for pair in pairs]
    return [
        flow.Pair(
            replace(pair.prediction, arm=arm, supersedes=None), replace(pair.outcome, arm=arm)
        )
        for pair, arm in zip(pairs, arms, strict=True)
    ]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Homes 0 to 199 before the test, 200 to 999 in it, the newest of them young."""
    put_pairs(tmp_path, dealt(list(flow.pairs(1_000))))
    begun = [activated(0), activated(200, **AB)]
    put(tmp_path, ACTIVATIONS, [wire.encode(each) for each in begun])
    return tmp_path


def test_a_test_is_judged_by_its_own_mature_listings(archive: Path) -> None:
    market = Market(archive, PREFIX, flow.MARKET)
    tested = ab_rows.newest_test(ab_rows.activations(market))

    assert tested is not None
    found = ab_rows.known(market, tested, mature_days=60)

    # 100 days of ten homes, sales until 20 days later: 60 days are over for the first 60 days.
    assert len(found.enrolled) + found.young == 800
    assert 390 <= len(found.enrolled) <= 410
    assert len(found.errors_before) == 200
    assert {each.arm for each in found.enrolled} == set(Arm)
    assert all(each.error_log is not None for each in found.enrolled)


def test_a_sale_after_the_time_counts_for_no_arm(archive: Path) -> None:
    market = Market(archive, PREFIX, flow.MARKET)
    tested = ab_rows.newest_test(ab_rows.activations(market))

    assert tested is not None
    found = ab_rows.known(market, tested, mature_days=10)

    assert found.enrolled
    assert all(each.error_log is None for each in found.enrolled)


def test_the_command_tells_what_is_missing(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ab", "--market", flow.MARKET, "--dir", str(archive), "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["champion"], told["challenger"], told["runs"]) == ("v1", "v2", True)
    assert told["verdict"]["state"] == "running"
    assert told["verdict"]["difference"] is None
    assert main(["ab", "--market", flow.MARKET, "--dir", str(archive)]) == 0
    assert "labels are missing" in capsys.readouterr().out


def test_with_enough_labels_the_error_is_told(archive: Path) -> None:
    market = Market(archive, PREFIX, flow.MARKET)
    tested = ab_rows.newest_test(ab_rows.activations(market))

    assert tested is not None
    told = ab_command.tell(market, tested, criteria.shipped())
    enough = ab_verdict.judge(
        ab_rows.known(market, tested, 60).enrolled, 0.5, 100, criteria.shipped()
    )

    words = "\n".join(ab_command.lines(replace(told, verdict=enough, runs=False)))
    assert "no difference of the size sought" in words
    assert "which has ended" in words
    assert "p = " in words.splitlines()[-1]


def test_without_a_test_the_command_says_how_to_begin_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, ACTIVATIONS, [wire.encode(activated(0))])

    assert main(["ab", "--market", flow.MARKET, "--dir", str(tmp_path)]) == 2
    assert "python -m offline rollout" in capsys.readouterr().err


def test_another_champion_is_another_test() -> None:
    told = [
        (1, activated(10, **AB)),
        (1, activated(30, partition=1, **AB)),
        (2, activated(50, **AB | {"champion": "v3"})),
    ]

    found = ab_rows.newest_test(told)

    assert found is not None
    assert found.test == Contest("v3", "v2", 0.5)
    assert found.stretches == {0: Stretch(50, None)}


def test_another_corrector_is_the_same_test_and_another_mode_its_end() -> None:
    told = [
        (1, activated(10, **AB)),
        (2, activated(50, **AB | {"corrector": "c2"})),
        (3, activated(90, **AB | {"mode": RolloutMode.SHADOW})),
    ]

    found = ab_rows.newest_test(told)

    assert found is not None
    assert found.stretches == {0: Stretch(10, 90)}
    assert not found.runs
    assert [found.holds(0, offset) for offset in (9, 10, 89, 90)] == [False, True, True, False]
    assert not found.holds(1, 20)
