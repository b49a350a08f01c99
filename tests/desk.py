"""A desk with nothing on it yet, for tests of core without a stage."""

from collections import defaultdict

from stream_app.contract.markets import MARKETS
from stream_app.contract.models import Policy
from stream_app.core.expiry import Ledger, Shelf
from stream_app.core.labels import Entry
from stream_app.core.pipeline import Desk
from stream_app.core.publishers import Publisher
from stream_app.core.region import Region


def empty_desk(policy: Policy | None = None) -> Desk:
    entries: defaultdict[str, Entry | None] = defaultdict(lambda: None)
    pages: defaultdict[str, list[str]] = defaultdict(list)
    shelves = {name: Shelf(name, Ledger(), policy or Policy(), entries, pages) for name in MARKETS}
    return Desk(defaultdict(Region), entries, pages, shelves, defaultdict(Publisher))
