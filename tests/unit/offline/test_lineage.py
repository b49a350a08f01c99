"""Offsets a version served follow from activations; a picture shows all that the list does."""

from xml.etree import ElementTree as ET

import msgspec

from offline import lineage, lineage_picture
from offline.collector import Read
from offline.lineage import Lineage, Span
from offline.replay_options import Spot
from stream_app.contract.models import Activated
from tests import messages

MARKET = "king-county"


def activated(from_offset: int, champion: str | None, **more: str) -> Activated:
    return messages.activated(
        partition=2,
        from_offset=from_offset,
        market=MARKET,
        champion=champion,
        **{"previous": None, "challenger": None, **more},
    )


def test_a_version_serves_until_another_one_does() -> None:
    changes = [activated(0, None), activated(10, "v1"), activated(50, "v2", previous="v1")]

    assert lineage.spans("v1", MARKET, changes, [9, 10, 49, 50]) == [
        Span(2, "champion", 10, 50, predictions=2),
        Span(2, "previous", 50, None, predictions=1),
    ]


def test_what_changes_beside_it_ends_no_span() -> None:
    changes = [activated(10, "v1"), activated(20, "v1", challenger="v2"), activated(30, "v2")]

    assert lineage.spans("v1", MARKET, changes) == [Span(2, "champion", 10, 30, predictions=0)]


def test_another_market_is_not_asked() -> None:
    elsewhere = msgspec.structs.replace(activated(10, "v1"), market="hdb")

    assert lineage.spans("v1", MARKET, [elsewhere]) == []


def test_answers_are_known_by_the_version_that_gave_them() -> None:
    said = messages.prediction(source_offset=7)

    assert list(lineage.answered([said], str(said.versions.champion))) == [7]
    assert list(lineage.answered([said], "v9")) == []


def test_an_event_was_read_or_not() -> None:
    read = [Read(0, 100, 200, 50, "aa", "t1"), Read(1, 0, 9, 9, "bb", "t1")]

    assert lineage.holds(read, Spot(0, 100))
    assert not lineage.holds(read, Spot(0, 200))
    assert not lineage.holds(read, Spot(1, 100))


FOUND = Lineage(
    market=MARKET,
    version="c<1>",
    events="topic",
    read=(Read(0, 0, 1_500, 1_400, "ab" * 32, "t1"),),
    files={},
    data_sha256="cd" * 32,
    training_rows=1_200,
    features_read=("home_grade",),
    features_not_read=("season_sin",),
    bundle_sha256="ef" * 32,
    reference_sha256=None,
    served=tuple(Span(0, "champion", 10 * n, 10 * n + 5, 3) for n in range(9)),
    predictions=27,
)


def test_the_picture_says_what_the_list_does() -> None:
    drawn = lineage_picture.svg(FOUND)

    ET.fromstring(drawn)  # noqa: S314 - made one line above
    for words in ("offsets 0 to 1,500", "1,200 sold homes", "c&lt;1&gt;", "27 in the log now"):
        assert words in drawn
    assert "and 3 more" in drawn  # spans beyond what a box holds


def test_what_is_not_known_is_drawn_as_such() -> None:
    unknown = msgspec.structs.replace(FOUND, events=None, read=(), served=None, predictions=None)

    drawn = lineage_picture.svg(unknown)

    assert "not recorded" in drawn
    assert drawn.count("not known: no broker asked") == 2


def test_who_never_served_is_drawn_as_such() -> None:
    assert ">never<" in lineage_picture.svg(msgspec.structs.replace(FOUND, served=()))
