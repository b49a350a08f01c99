"""A page's sections as Markdown: the words and the figures, without the pictures."""

from collections.abc import Sequence

from offline.page import Section, Table, shown


def render(title: str, about: str, sections: Sequence[Section]) -> str:
    """The page as text."""
    return "\n\n".join([f"# {title}", about, *map(_section, sections)]) + "\n"


def _section(section: Section) -> str:
    warnings = [f"> **{_escaped(warning)}**" for warning in section.warnings]
    parts = [f"## {section.title}", section.text, *warnings, *map(_table, section.tables)]
    return "\n\n".join(filter(None, parts))


def _table(table: Table) -> str:
    rule = ["---"] * len(table.columns)
    rows = [
        [
            _escaped(shown(cell, share=name.endswith("%")))
            for cell, name in zip(row, table.columns, strict=True)
        ]
        for row in table.rows
    ]
    lines = [f"| {' | '.join(row)} |" for row in (table.columns, rule, *rows)]
    return "\n".join([f"**{table.caption}**", "", *lines])


def _escaped(text: str) -> str:
    """In a table's cell a bar would begin the next one; names come from publishers."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
