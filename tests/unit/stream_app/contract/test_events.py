"""What an event says about itself."""

import pytest

from stream_app.contract.events import EVENT_TYPES, AnyEvent, Event, kind_of, kind_of_type
from tests import builders

KINDS = ("listing", "sale", "correction", "withdrawal", "erasure")


def test_every_event_type_has_its_own_kind() -> None:
    assert tuple(map(kind_of_type, EVENT_TYPES)) == KINDS


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (builders.listing(), "listing"),
        (builders.sale(), "sale"),
        (builders.correction(), "correction"),
        (builders.withdrawal(), "withdrawal"),
        (builders.erasure(), "erasure"),
    ],
    ids=KINDS,
)
def test_an_event_tells_its_kind(event: AnyEvent, kind: str) -> None:
    assert kind_of(event) == kind


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        builders.listing().area_m2 = 1.0  # type: ignore[misc]


def test_every_kind_has_a_revision_so_that_any_can_be_amended() -> None:
    assert all("revision" in kind.__struct_fields__ for kind in EVENT_TYPES)
    assert "revision" not in Event.__struct_fields__
