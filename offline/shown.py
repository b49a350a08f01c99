"""A result as a person reads it: a figure a line, what is alike as a table. Programs take `--json`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, repeat

_CELL_LETTERS_MAX = 40  # of words in a table: two such columns leave a row readable
_DAY_OF_1973_MS = 100_000_000_000  # `_ms` ends spans, too; none is three years long

Row = Mapping[str, object]


def lines(result: Row) -> list[str]:
    """A result's lines, names and values aligned.

    >>> lines({"market": "hdb", "metrics": {"rows": 1200, "mae": 63090.703, "bias": -0.0228}})
    ['market  hdb', 'metrics', '  rows  1,200', '  mae   63,091', '  bias  -0.023']
    """
    told = list(_told(result, ""))
    width = max((len(name) for name, text in told if text is not None), default=0)
    return [name if text is None else f"{name:<{width}}  {text}" for name, text in told]


def _told(result: Row, indent: str) -> Iterator[tuple[str, str | None]]:
    """Names with their values; what stands on a line of its own has none."""
    for name, value in result.items():
        label, rows = f"{indent}{name.removesuffix('_ms')}", _rows(value)
        if rows:
            yield label, None
            yield from ((f"{indent}  {line}", None) for line in _table(rows))
        elif isinstance(value, dict) and value:
            yield label, None
            yield from _told({str(key): each for key, each in value.items()}, f"{indent}  ")
        elif isinstance(value, list | tuple) and value:
            texts = (_text(name, each) for each in value)
            yield from zip(chain([label], repeat("")), texts, strict=False)
        else:
            yield label, _text(name, value)


def _rows(value: object) -> list[Row]:
    """What is a table: a list of objects, or objects by name, by two names and so on."""
    if isinstance(value, list | tuple):
        return list(value) if all(isinstance(each, dict) for each in value) else []
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        return []
    return [
        {"": f"{key} {row.get('', '')}".rstrip()} | {k: v for k, v in row.items() if k}
        for key, each in value.items()
        for row in _rows(each) or [each]
    ]


def _table(rows: Sequence[Row]) -> Iterator[str]:
    """Columns that hold anything; what is long, as a reason, stands whole beneath its row."""
    columns = [c for name in dict.fromkeys(chain.from_iterable(rows)) if (c := _column(name, rows))]
    grid = list(zip(*columns, strict=True)) or [()] * (1 + len(rows))
    for cells, row in zip(grid, [{}, *rows], strict=True):
        if cells:
            yield "  ".join(cells).rstrip()
        for name, value in row.items():
            text = _one_line(name, value)
            if _is_long(text):
                yield f"    {name}: {text}"


def _column(name: str, rows: Sequence[Row]) -> list[str]:
    """Name and cells, aligned, numbers to the right; empty if no cell holds anything."""
    values = [row.get(name) for row in rows]
    texts = [_one_line(name, value) for value in values]
    cells = [name.removesuffix("_ms"), *("" if _is_long(text) else text for text in texts)]
    if set(cells[1:]) <= {"", "-"}:
        return []
    width = max(map(len, cells))
    are_numbers = all(value is None or isinstance(value, int | float) for value in values)
    return [f"{cell:{'>' if are_numbers else '<'}{width}}" for cell in cells]


def _one_line(name: str, value: object) -> str:
    return " ".join(_text(name, value).split())


def _is_long(text: str) -> bool:
    return len(text) > _CELL_LETTERS_MAX and " " in text  # a hash or a path is one word


def _text(name: str, value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(str(key), each)}" for key, each in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(_text(name, each) for each in value) or "-"
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _figure(name, value)
    return str(value)


def _figure(name: str, value: float) -> str:
    """Money and counts without decimals, shares with three; a time as a date."""
    if name.endswith("_ms") and value > _DAY_OF_1973_MS:
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    is_count = isinstance(value, int) or (value.is_integer() and abs(value) > 1)
    if is_count or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1e}" if 0 < abs(value) < 0.001 else f"{value:.3f}"
