"""The bounds of docs/ledger.md, by building the largest there can be."""

from stream_app.contract import wire
from stream_app.contract.predictions import Components, Versions
from stream_app.contract.rejects import Rejected
from stream_app.contract.topics import RECORD_BYTES_MAX
from stream_app.core import labels
from stream_app.core.expiry import PAGE_KEYS
from stream_app.core.features import NAMES
from stream_app.core.labels import Entry, LabelState, Served
from stream_app.core.pipeline import entry_key, featurise
from tests import builders
from tests.builders import LISTED_MS, MARKET, erasure, listing
from tests.desk import empty_desk

KINDS = ("listing", "sale", "correction", "withdrawal")
REVISIONS = 501
LETTER = "\U0001f3e0"  # 4 bytes
NEIGHBOUR = listing(listing_id="neighbour")
NAME, LABEL = LETTER * 128, LETTER * 64


def largest_entry() -> Entry:
    served = Served("p" * 24, LISTED_MS, False, 1e3, LABEL, (1e3,) * len(NAMES))
    served.components = Components(1e3, 1e3, 1e3, 1e3, 1.0)
    served.versions = Versions(NAME, NAME, "f" * 24)
    ids = {f"{kind}:{revision}": NAME for kind in KINDS for revision in range(REVISIONS)}
    return Entry(LabelState.CORRECTED, MARKET, ids, served=served)


def test_the_largest_entry_fits_a_record_of_state() -> None:
    size = len(labels.freeze(largest_entry()))

    assert 1_000_000 < size < 1_150_000 < RECORD_BYTES_MAX


def test_no_revision_is_beyond_those_of_the_largest_entry() -> None:
    beyond = builders.raw(listing()).replace(b'"revision":0', f'"revision":{REVISIONS}'.encode())

    answer = wire.decode_event(beyond)

    assert isinstance(answer, Rejected)
    assert "<= 500" in answer.detail


def test_the_largest_page_fits_a_record_of_state() -> None:
    key = f"{LABEL}:{NAME}".encode()

    assert PAGE_KEYS * len(key) <= 50_000 < RECORD_BYTES_MAX


def test_an_erasure_leaves_no_trace_on_a_page() -> None:
    desk = empty_desk()
    for event in (listing(), NEIGHBOUR, erasure()):
        featurise(event, desk)

    assert [keys for keys in desk.pages.values() if keys] == [[entry_key(NEIGHBOUR)]]
