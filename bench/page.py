"""Results to the table in docs/performance.md, between two marks. Pure, but for `write`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.figures import RATIOS
from bench.results import Results

FILE = Path("docs", "performance.md")
BEGIN = "<!-- written by `python -m bench table`; do not edit below -->"
END = "<!-- end of what is written -->"
UNKNOWN = "–"

# What a name in `rates` stands for, in the order of the table.
NAMES = {
    "ours": "this system: both models, interval, reasons, exactly once",
    "hand_loop": "our own step in a loop over confluent-kafka, exactly once, no Faust",
    "textbook_quix": "Quix Streams by its documentation, at least once",
    "textbook_quix_exactly_once": "the same, exactly once",
    "textbook_faust": "Faust by its documentation, at least once",
    "hand_pass": "transport alone: confluent-kafka, a transaction per batch",
    "quix_pass": "transport alone: Quix Streams",
    "faust_empty": "transport alone: a Faust agent that does nothing",
    "faust_pass": "transport alone: a Faust agent that sends on",
}


class NoMarks(ValueError):
    """The page has no place for the table."""


def write(results: Results, file: Path = FILE) -> None:
    """Put the table into the page.

    Raises
    ------
    NoMarks : the marks are not there, once each and in order
    """
    file.write_text(placed(file.read_text("utf-8"), table(results)), "utf-8")


def placed(page: str, lines: str) -> str:
    r"""The page with what stands between its marks replaced.

    >>> placed(f"a\n{BEGIN}\nold\n{END}\nb", "new").splitlines()[2]
    'new'
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoMarks(f"no {BEGIN!r} with {END!r} after it")
    return f"{before}{BEGIN}\n{lines}\n{END}{after}"


def table(results: Results) -> str:
    """All that was measured, in Markdown."""
    parts = (
        _conditions(results),
        _rates(results),
        _ratios(results),
        _latency(results),
        _variants(results),
        _plain(results.changes, "while a steady load comes"),
        _plain(results.offline, "beside the stream"),
        _plain(results.growth, "workers on this machine, all cores everybody's: events a second"),
        _plain(results.capacity, "asked for, costs, and what that comes to"),
        _plain(results.breaks, "what gives way, in that order: at events a second"),
        _failures(results),
    )
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def _conditions(results: Results) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    machine = "; ".join(f"{name.replace('_', ' ')} {of}" for name, of in results.machine.items())
    options = ", ".join(f"{name.replace('_', ' ')} {of}" for name, of in results.options.items())
    yield f"Machine: {machine}. Versions: {versions}. Measured {results.made}: {options}."


def _rates(results: Results) -> Iterator[str]:
    yield "| | events a second | CPU per event, µs | memory, MB |"
    yield "|---|---|---|---|"
    for name, what in NAMES.items():
        if name in results.rates:
            figures = (
                results.rates[name],
                results.cpu_us_per_event[name],
                results.memory_mb[name],
            )
            yield f"| `{name}`: {what} | {' | '.join(f'{figure:,.0f}' for figure in figures)} |"
        elif name in results.failures:
            yield f"| `{name}`: {what} | {results.failures[name]} | {UNKNOWN} | {UNKNOWN} |"


def _ratios(results: Results) -> Iterator[str]:
    yield "| ratio, median of the rounds | measured | wanted | |"
    yield "|---|---|---|---|"
    for pair, wanted in RATIOS.items():
        found = results.ratios.get(pair)
        if found is None:
            yield f"| `{pair}` | {UNKNOWN} | {wanted:g} | not measured |"
        else:
            yield f"| `{pair}` | {found:.2f} | {wanted:g} | {'met' if found >= wanted else 'missed'} |"


def _variants(results: Results) -> Iterator[str]:
    for variant, rates in results.variants.items():
        told = ", ".join(f"`{name}` {rate:,.0f}" for name, rate in rates.items())
        yield f"Events a second with {variant}: {told}."


def _plain(figures: Mapping[str, float], title: str) -> Iterator[str]:
    if figures:
        yield f"| {title} | |"
        yield "|---|---|"
    for name, figure in figures.items():
        yield f"| {name.replace('_', ' ')} | {figure:,.{0 if figure >= 1_000 else 2}f} |"


def _latency(results: Results) -> Iterator[str]:
    if results.latency_ms:
        yield "| events a second offered | append to visible, ms: p50 | p90 | p99 | max | |"
        yield "|---|---|---|---|---|---|"
    for load, found in results.latency_ms.items():
        waits_ms = (found.p50, found.p90, found.p99, found.max)
        yield f"| {load} | {' | '.join(f'{each:,.0f}' for each in waits_ms)} | {found.note} |"


def _failures(results: Results) -> Iterator[str]:
    for name, words in results.failures.items():
        if name not in NAMES:
            yield f"- Not measured: `{name}`: {words}"
