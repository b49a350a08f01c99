"""The index of the report folder: every run, the newest first, by pages and as CSV.

Made anew from the summaries.
"""

import csv
import html
import io
import math
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from monitoring.quality import ANSWER, CHAMPION, NAIVE, Errors
from monitoring.summary import Quality, Summary, WindowRows

INDEX = "index.html"
CSV = "index.csv"
RUNS_A_PAGE = 50  # two months of one market; some 100 kB
SUMMARY = "summary.json"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reports</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 54rem; }}
article {{ border-top: 1px solid #8886; padding: .6rem 0 1rem; }}
h2 {{ font-size: 1.1rem; margin: .3rem 0; }}
p, ul {{ margin: .3rem 0; overflow-wrap: anywhere; }}
table {{ border-collapse: collapse; margin: .5rem 0; }}
th, td {{ padding: .1rem 1rem .1rem 0; text-align: right; font-variant-numeric: tabular-nums; }}
th {{ font-weight: normal; opacity: .75; }}
th:first-child, td:first-child {{ text-align: left; }}
a {{ margin-right: 1rem; white-space: nowrap; }}
</style></head><body>
<h1>Reports</h1>
<p>Quality of prices and drift of features, the current window held against the reference.
Times are UTC, money is in the market's currency. Naive is the regional median per m² times
the area, champion the offline model alone, answer what was served.</p>
{runs}
<p>{pages} <a href="index.csv">All runs as CSV</a></p>
</body></html>
"""


def write(folder: Path) -> Path:
    """List all runs below `folder` that can be read; return the first page's path."""
    runs = found(folder)
    pages = max(1, math.ceil(len(runs) / RUNS_A_PAGE))
    for page in range(1, pages + 1):
        listed = runs[(page - 1) * RUNS_A_PAGE : page * RUNS_A_PAGE]
        articles = "\n".join(_article(run.name, summary) for run, summary in listed)
        _put(folder / _name(page), _PAGE.format(runs=articles, pages=_links(page, pages)))
    for old in folder.glob("index-*.html"):
        number = old.stem.removeprefix("index-")
        if number.isdecimal() and int(number) > pages:
            old.unlink(missing_ok=True)
    _put(folder / CSV, _csv(runs))
    return folder / INDEX


def found(folder: Path) -> list[tuple[Path, Summary]]:
    """Give the runs below `folder` that can be read, the newest first."""
    read = [(path.parent, _read(path)) for path in folder.glob(f"*/{SUMMARY}")]
    runs = [(run, summary) for run, summary in read if summary is not None]
    return sorted(runs, key=lambda run: (run[1].made, run[0].name), reverse=True)


def _read(path: Path) -> Summary | None:
    """Read a summary; None when another version of this program wrote it, or it is just removed."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except (msgspec.MsgspecError, FileNotFoundError):
        return None


def _put(path: Path, text: str) -> None:
    """Write at once or not at all: somebody may be reading, or another run writing."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(text, encoding="utf-8")
    staged.replace(path)


def _name(page: int) -> str:
    return INDEX if page == 1 else f"index-{page}.html"


def _links(page: int, pages: int) -> str:
    links = [("newer", page - 1), ("older", page + 1)]
    shown = (f'<a href="{_name(to)}">{word}</a>' for word, to in links if 1 <= to <= pages)
    return f"Page {page} of {pages}. {' '.join(shown)}"


def _csv(runs: Sequence[tuple[Path, Summary]]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("run", "made", "market", "champion", "job", "window", "failed", "findings"))
    for run, s in runs:
        what = (s.made, s.market, s.champion or "", s.job, s.windows, int(s.failed))
        rows.writerow((run.name, *what, "; ".join(s.findings)))
    return text.getvalue()


def _article(run: str, summary: Summary) -> str:
    findings = summary.findings or ("nothing found",)
    told = "".join(f"<li>{html.escape(finding)}</li>" for finding in findings)
    links = "".join(
        f'<a href="{html.escape(run)}/{html.escape(name)}">{html.escape(name)}</a>'
        for name in (*summary.files, SUMMARY)
    )
    made = html.escape(summary.made[:16].replace("T", " "))
    return (
        f"<article><h2>{html.escape(summary.market)}, {_what(summary)}</h2>"
        f"<p>{_against(summary)}; champion {html.escape(summary.champion or 'none')};"
        f" {html.escape(summary.job or 'by hand')}, made {made}</p>"
        f"{_table(summary)}<ul>{told}</ul><p>{links}</p></article>"
    )


def _what(summary: Summary) -> str:
    """Which days were judged: of sales, listings or events."""
    if summary.quality is not None:
        return _days(summary.quality.current, "sold")
    if summary.drift is not None:
        return _days(summary.drift.current, "listed")
    return html.escape(summary.windows or "all that is archived")


def _against(summary: Summary) -> str:
    if summary.failed:
        return "not measured"
    if summary.quality is not None:
        return f"against {_days(summary.quality.reference, 'sold')}"
    if summary.drift is not None:
        return f"against {_days(summary.drift.reference, 'listed')}"
    return "events as they were sent"


def _days(rows: WindowRows, verb: str) -> str:
    if rows.from_day is None:
        return "no sales" if verb == "sold" else "no listings"
    return f"{verb} {html.escape(rows.from_day)} to {html.escape(rows.to_day or '')}"


def _table(summary: Summary) -> str:
    quality = summary.quality
    if quality is None:
        return ""
    money = html.escape(summary.currency)
    rows = "".join(_row(quality, kind) for kind in (NAIVE, CHAMPION, ANSWER))
    return (
        "<table><tr><th></th><th>sales</th><th>median error</th><th>in the reference</th>"
        f"<th>MAE {money}</th><th>in the reference</th></tr>{rows}</table>"
    )


def _row(quality: Quality, kind: str) -> str:
    now, before = quality.current_errors.get(kind), quality.reference_errors.get(kind)
    cells = (
        kind,
        "unknown" if now is None else f"{now.sales:,}",
        _median(now),
        _median(before),
        _mae(now),
        _mae(before),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _median(errors: Errors | None) -> str:
    return "unknown" if errors is None else f"{errors.mdape:.1%}"


def _mae(errors: Errors | None) -> str:
    return "unknown" if errors is None else f"{errors.mae:,.0f}"
