"""`index.html` of the report folder: every run, the newest first. Made anew from the summaries."""

import html
from pathlib import Path

import msgspec

from monitoring.quality import ANSWER, CHAMPION, NAIVE, Errors
from monitoring.summary import Quality, Summary, WindowRows

INDEX = "index.html"
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
</body></html>
"""


def write(folder: Path) -> Path:
    """List all runs below `folder` that can be read; return the page's path."""
    found = [(path.parent, _read(path)) for path in folder.glob(f"*/{SUMMARY}")]
    runs = [(run, summary) for run, summary in found if summary is not None]
    runs.sort(key=lambda run: run[1].made, reverse=True)
    page = folder / INDEX
    articles = "\n".join(_article(run.name, summary) for run, summary in runs)
    page.write_text(_PAGE.format(runs=articles), encoding="utf-8")
    return page


def _read(path: Path) -> Summary | None:
    """Read a summary; None when another version of this program wrote it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except msgspec.MsgspecError:
        return None


def _article(run: str, summary: Summary) -> str:
    quality = summary.quality
    findings = summary.findings or ("nothing found",)
    told = "".join(f"<li>{html.escape(finding)}</li>" for finding in findings)
    links = "".join(
        f'<a href="{html.escape(run)}/{html.escape(name)}">{html.escape(name)}</a>'
        for name in (*summary.files, SUMMARY)
    )
    made = html.escape(summary.made[:16].replace("T", " "))
    return (
        f"<article><h2>{html.escape(summary.market)}, {_days(quality.current)}</h2>"
        f"<p>against {_days(quality.reference)}; champion"
        f" {html.escape(summary.champion or 'none')}; made {made}</p>"
        f"{_table(summary)}<ul>{told}</ul><p>{links}</p></article>"
    )


def _days(rows: WindowRows) -> str:
    if rows.from_day is None:
        return "no sales"
    return f"sold {html.escape(rows.from_day)} to {html.escape(rows.to_day or '')}"


def _table(summary: Summary) -> str:
    money = html.escape(summary.currency)
    rows = "".join(_row(summary.quality, kind) for kind in (NAIVE, CHAMPION, ANSWER))
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
