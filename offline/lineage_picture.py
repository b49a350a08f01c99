"""A version's lineage as a picture: from the log on the left to the answers on the right."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from offline.lineage import Lineage, Span
from stream_app.contract.counts import counted

_COLUMN_PX, _BOX_PX, _LINE_PX, _GAP_PX, _MARGIN_PX = 290, 250, 18, 16, 20
_HASH_DIGITS = 12
_SHOWN = 6  # lines of a kind in a box; the list (`--json`) has all

Box = Sequence[str]  # lines of text, the first one its title


def svg(found: Lineage) -> str:
    """The picture: columns of boxes, each joined with all of the next column."""
    columns = boxes(found)
    height = max(sum(_height(box) + _GAP_PX for box in column) for column in columns)
    width = _COLUMN_PX * len(columns) + _MARGIN_PX
    placed = [list(_placed(column, place, height)) for place, column in enumerate(columns)]
    lines = [
        f'<path d="M{left + _BOX_PX} {top + _height(box) / 2} L{right} {low + _height(far) / 2}"/>'
        for here, there in pairwise(placed)
        for left, top, box in here
        for right, low, far in there
    ]
    drawn = [_drawn(*each) for column in placed for each in column]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + 2 * _MARGIN_PX}" '
        f'width="{width}" font-family="system-ui, DejaVu Sans, sans-serif" font-size="13">'
        f"<title>Lineage of {escape(found.market)} {escape(found.version)}</title>"
        '<rect width="100%" height="100%" fill="#fff"/>'
        f'<g stroke="#999" fill="none">{"".join(lines)}</g>{"".join(drawn)}</svg>\n'
    )


def boxes(found: Lineage) -> list[list[Box]]:
    """Columns of boxes, as text."""
    data = ["Rows", f"{found.training_rows:,} sold homes", _short(found.data_sha256)]
    features = [
        f"Features: {len(found.features_read)} read",
        *_some(found.features_read),
        f"{len(found.features_not_read)} not read",
    ]
    model = ["Version", f"{found.market} {found.version}", f"bundle {_short(found.bundle_sha256)}"]
    answers = "not known: no broker asked"
    if found.predictions is not None:
        answers = f"{found.predictions:,} in the log now"
    return [_log(found), [data], [features], [model], _served(found.served), [["Answers", answers]]]


def _log(found: Lineage) -> list[Box]:
    parts = [
        [
            f"Partition {read.partition}",
            f"offsets {read.first_offset:,} to {read.end_offset:,}",
            f"{counted(read.records, 'record')}, {_short(read.sha256)}",
        ]
        for read in found.read
    ]
    return [["Events", found.events or "not recorded"], *parts]


def _served(spans: Sequence[Span] | None) -> list[Box]:
    if spans is None:
        return [["Served", "not known: no broker asked"]]
    if not spans:
        return [["Served", "never"]]
    numbers = sorted({span.partition for span in spans})
    return [
        [
            f"Served partition {number}",
            *_some([_words(span) for span in spans if span.partition == number]),
        ]
        for number in numbers
    ]


def _words(span: Span) -> str:
    until = "now" if span.to_offset is None else f"{span.to_offset:,}"
    return f"{span.role}: {span.from_offset:,} to {until}"


def _some(lines: Sequence[str]) -> list[str]:
    left = len(lines) - _SHOWN
    return [*lines[:_SHOWN], *([f"and {left} more"] if left > 0 else [])]


def _short(sha256: str) -> str:
    return sha256[:_HASH_DIGITS] + "…"


def _placed(column: Sequence[Box], place: int, height: int) -> Iterator[tuple[int, int, Box]]:
    """Left, top and lines of each box; the column stands in the middle."""
    free = height - sum(_height(box) + _GAP_PX for box in column)
    top = _MARGIN_PX + free // 2
    for box in column:
        yield _MARGIN_PX + place * _COLUMN_PX, top, box
        top += _height(box) + _GAP_PX


def _height(box: Box) -> int:
    return _LINE_PX * len(box) + _GAP_PX


def _drawn(left: int, top: int, box: Box) -> str:
    texts = "".join(
        f'<text x="{left + 10}" y="{top + _LINE_PX * place + 5}" '
        f'font-weight="{600 if place == 1 else 400}">{escape(line)}</text>'
        for place, line in enumerate(box, start=1)
    )
    return (
        f'<rect x="{left}" y="{top}" width="{_BOX_PX}" height="{_height(box)}" rx="4" '
        f'fill="#f4f7fb" stroke="#456"/>{texts}'
    )
