"""`index.html` of the report folder: every run, the newest first. Made anew from the summaries."""

import html
from pathlib import Path

import msgspec

from monitoring.quality import ANSWER, CHAMPION, NAIVE, Errors
from monitoring.summary import Quality, Summary

INDEX = "index.html"
SUMMARY = "summary.json"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reports</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 76rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border-bottom: 1px solid #8886; padding: .4rem .7rem; text-align: left;
  vertical-align: top; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
ul {{ margin: 0; padding-left: 1.1rem; }}
</style></head><body>
<h1>Reports</h1>
<p>Drift of features and quality of prices, two windows each. Times are UTC, money is in
the market's currency. Median error of the current window, in brackets of the reference: naive
(regional median per m²), champion (the offline model alone), answer (what was served).</p>
<div class="wide"><table>
<tr><th>made</th><th>market</th><th>sales in window</th><th class="number">naive</th>
<th class="number">champion</th><th class="number">answer</th><th>findings</th><th>reports</th></tr>
{rows}
</table></div>
</body></html>
"""


def write(folder: Path) -> Path:
    """List all runs below `folder`; return the page's path."""
    runs = [(path.parent, _read(path)) for path in folder.glob(f"*/{SUMMARY}")]
    runs.sort(key=lambda run: run[1].made, reverse=True)
    page = folder / INDEX
    rows = "\n".join(_row(run.name, summary) for run, summary in runs)
    page.write_text(_PAGE.format(rows=rows), encoding="utf-8")
    return page


def _read(path: Path) -> Summary:
    return msgspec.json.decode(path.read_bytes(), type=Summary)


def _row(run: str, summary: Summary) -> str:
    quality = summary.quality
    window = f"{quality.current.from_day} to {quality.current.to_day} ({quality.current.rows:,})"
    findings = "".join(f"<li>{html.escape(finding)}</li>" for finding in summary.findings)
    links = " ".join(
        f'<a href="{html.escape(run)}/{html.escape(name)}">{html.escape(name)}</a>'
        for name in (*summary.files, SUMMARY)
    )
    cells = (
        f"<td>{html.escape(summary.made[:19].replace('T', ' '))}</td>",
        f"<td>{html.escape(summary.market)}</td>",
        f"<td>{html.escape(window) if quality.current.from_day else 'none'}</td>",
        *(f'<td class="number">{_median(quality, k)}</td>' for k in (NAIVE, CHAMPION, ANSWER)),
        f"<td><ul>{findings}</ul></td>",
        f"<td>{links}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _median(quality: Quality, kind: str) -> str:
    now, before = quality.current_errors.get(kind), quality.reference_errors.get(kind)
    return f"{_percent(now)} ({_percent(before)})"


def _percent(errors: Errors | None) -> str:
    return "unknown" if errors is None else f"{errors.mdape:.1%}"
