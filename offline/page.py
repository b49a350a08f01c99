"""One HTML file that needs nothing else: no network, no script, pictures inside.

All text is escaped: names of regions and listings come from publishers.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import msgspec

from offline.pictures import Picture

Cell = str | int | float | None

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff;
  max-width: 1180px; margin: 0 auto; padding: 0 1rem 4rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem;
  border-top: 1px solid #ccc; padding-top: 1rem; }
p { max-width: 46rem; } .warning { border-left: 4px solid #D55E00; padding-left: .8rem; }
nav { margin: .8rem 0; line-height: 2; } nav a { margin-right: 1rem; white-space: nowrap; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr));
  gap: 1rem; align-items: start; }
.pictures img { width: 100%; height: auto; } .scroll { overflow-x: auto; grid-column: 1 / -1; }
.pictures .scroll img { width: auto; max-width: none; }
table { border-collapse: collapse; font-size: .9rem; } caption { text-align: left;
  font-weight: 600; padding: .6rem 0; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #e0e0e0; text-align: left;
  white-space: nowrap; } td.text { white-space: normal; min-width: 16rem; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
details summary { cursor: pointer; margin: .6rem 0; }
"""


class Table(NamedTuple):
    """Columns that end in `%` hold shares and are shown as such. None is unknown."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    folded: bool = False


class Section(NamedTuple):
    """One subject: what is seen, then the pictures, then the figures."""

    title: str
    text: str
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    warnings: Sequence[str] = ()


def write(
    folder: Path, name: str, title: str, about: str, sections: Sequence[Section], report: object
) -> Mapping[str, str]:
    """Write `<name>.html` and `<name>.json` (the figures alone); give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {suffix: folder / f"{name}.{suffix}" for suffix in ("html", "json")}
    made["html"].write_text(render(title, about, sections), encoding="utf-8")
    made["json"].write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    return {suffix: str(path) for suffix, path in made.items()}


def render(title: str, about: str, sections: Sequence[Section]) -> str:
    """The page as text."""
    anchors = [f"part-{place}" for place in range(1, len(sections) + 1)]
    links = " ".join(
        f'<a href="#{anchor}">{escape(section.title)}</a>'
        for anchor, section in zip(anchors, sections, strict=True)
    )
    body = "".join(map(_section, anchors, sections))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{escape(title)}</h1><p>{escape(about)}</p><nav>{links}</nav>{body}</html>\n"
    )


def _section(anchor: str, section: Section) -> str:
    warnings = "".join(f'<p class="warning">{escape(w)}</p>' for w in section.warnings)
    pictures = "".join(map(_picture, section.pictures))
    return (
        f'<h2 id="{anchor}">{escape(section.title)}</h2><p>{escape(section.text)}</p>{warnings}'
        + (f'<div class="pictures">{pictures}</div>' if pictures else "")
        + "".join(map(_table, section.tables))
    )


def _picture(picture: Picture) -> str:
    image = f'<img src="{picture.address}" alt="{escape(picture.alt)}">'
    return f'<div class="scroll" tabindex="0">{image}</div>' if picture.wide else image


def _table(table: Table) -> str:
    numeric = [
        not any(isinstance(row[place], str) for row in table.rows)
        for place in range(len(table.columns))
    ]
    head = "".join(
        f"<th{_class(number)}>{escape(name)}</th>"
        for name, number in zip(table.columns, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(number, cell)}>{escape(shown(cell, share=name.endswith('%')))}</td>"
            for cell, name, number in zip(row, table.columns, numeric, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    made = f'<div class="scroll" tabindex="0"><table><caption>{escape(table.caption)}</caption>'
    made += f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    if not table.folded:
        return made
    return f"<details><summary>{escape(table.caption)}</summary>{made}</details>"


def _class(number: bool, cell: Cell = None) -> str:
    long = isinstance(cell, str) and len(cell) > 40
    return ' class="number"' if number else ' class="text"' if long else ""


def shown(cell: Cell, *, share: bool = False) -> str:
    """A cell as a person reads it; unknown is a dash, never 0.

    >>> shown(1234567), shown(0.1234, share=True), shown(None), shown(12.345)
    ('1,234,567', '12.3 %', '–', '12.35')
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    if isinstance(cell, str):
        return cell
    if share:
        return f"{round(100 * cell, 1) + 0.0:.1f} %"  # never -0.0
    if isinstance(cell, int) or abs(cell) >= 1000:
        return f"{cell:,.0f}"
    return f"{cell:.4g}"
