"""From the records of activations and models back to what served."""

import pytest

from stream_app.contract.events import AnyEvent
from stream_app.contract.models import Activated, ChampionAnnounced, Handover, Policy
from stream_app.stages.lineups import Lineup, NotAnnounced, lineups, segments
from stream_app.stages.step import PriceModel, Serving
from tests import builders, messages
from tests.builders import MARKET
from tests.fakes.champion import FakeChampion
from tests.replay import records as log_of
from tests.unit.stream_app.shell.shelf_bench import champion, corrector

MODELS = (champion("v1"), champion("v2"), corrector("1"), messages.alias())
V1, V2 = FakeChampion("v1"), FakeChampion("v2")


def load(announced: ChampionAnnounced) -> PriceModel:
    return FakeChampion(announced.manifest.version)


def _listings(count: int) -> list[AnyEvent]:
    return [builders.listing(listing_id=f"kc-{number}") for number in range(count)]


def change(from_offset: int, champion: str | None, **changes: object) -> Activated:
    return messages.activated(from_offset=from_offset, champion=champion, **changes)


def test_each_change_begins_a_lineup() -> None:
    found = lineups([change(3, "v1"), change(9, "v2", corrector="1")], MODELS, load)

    assert found == [
        Lineup(3, {MARKET: Serving(V1)}),
        Lineup(9, {MARKET: Serving(V2, corrector("1"))}),
    ]


def test_changes_of_two_markets_at_one_offset_are_one_lineup() -> None:
    version = corrector("1", market="hdb")
    changes = [change(3, "v1"), change(3, None, market="hdb", corrector="1")]

    found = lineups(changes, [*MODELS, version], load)

    assert found == [Lineup(3, {MARKET: Serving(V1), "hdb": Serving(None, version)})]


def test_a_champion_is_opened_once() -> None:
    opened: list[str] = []

    def note(announced: ChampionAnnounced) -> PriceModel:
        opened.append(announced.manifest.version)
        return load(announced)

    lineups([change(3, "v1"), change(9, "v2"), change(12, "v1")], MODELS, note)

    assert opened == ["v1", "v2"]


def test_without_a_loader_there_are_no_champions() -> None:
    assert lineups([change(3, "v1")], MODELS, None) == [Lineup(3, {MARKET: Serving()})]


@pytest.mark.parametrize(
    "unknown", [change(3, "v9"), change(3, None, corrector="9"), change(3, "v1", market="hdb")]
)
def test_a_version_that_nobody_announced_is_named(unknown: Activated) -> None:
    with pytest.raises(NotAnnounced, match=f"{unknown.market}: version"):
        lineups([unknown], MODELS, load)


def test_records_are_cut_where_the_lineup_changes() -> None:
    taken = log_of(_listings(6))
    first, second = {MARKET: Serving(V1)}, {MARKET: Serving(V2)}

    pieces = list(segments(taken, [Lineup(2, first), Lineup(5, second)]))

    assert pieces == [({}, taken[:2]), (first, taken[2:5]), (second, taken[5:])]


def test_a_lineup_from_an_offset_that_holds_no_record_counts_from_the_next() -> None:
    taken = log_of(_listings(6))
    holes = [taken[0], taken[5]]
    first, second = {MARKET: Serving(V1)}, {MARKET: Serving(V2)}

    assert list(segments(holes, [Lineup(1, first), Lineup(3, second)])) == [
        ({}, holes[:1]),
        (second, holes[1:]),
    ]


def test_a_lineup_knows_the_policy_of_its_time() -> None:
    policy = Policy(sale_late_h=1)

    assert lineups([change(3, None, policy=policy)], MODELS, load) == [
        Lineup(3, {MARKET: Serving(policy=policy)})
    ]


def test_a_lineup_knows_what_correctors_gave_back() -> None:
    told = Handover(replaces="v1", market_log=0.1, regions={})

    assert lineups([change(3, None, handover=told)], MODELS, load) == [
        Lineup(3, {MARKET: Serving(handover=told)})
    ]


def test_a_log_without_records_has_no_pieces() -> None:
    assert list(segments([], [])) == []
