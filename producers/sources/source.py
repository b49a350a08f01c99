"""What a source is: the one interface that a new market's files need.

To add a third source:

1. its market in `stream_app/contract/markets.py` (name, currency);
2. a module beside this one with `read_row`, a pure function from a `Row` of
   text to the listing and the sale it stands for, in SI units, and a `Source`;
3. a line in `SOURCES` of `__init__.py`, a sample in `data/`, real rows in a test.

Reading files, order, counting and messages are the same for all: `history.py`.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from producers.sources.rows import Row
from stream_app.contract.events import Listing, Sale


class Offer(NamedTuple):
    """What one row of a sales file says happened."""

    listing: Listing
    sale: Sale


# Arguments: the row, the seed of what is simulated, and how often each identity
# came in this file so far (for files whose rows carry no key of their own).
RowReader = Callable[[Row, int, Counter[str]], Offer]


class Source(NamedTuple):
    """One kind of file."""

    market: str
    needed_columns: tuple[str, ...]  # lower case; a file without one of them is refused
    read_row: RowReader
    default_files: tuple[str, ...]  # samples under `data/`
    what: str
