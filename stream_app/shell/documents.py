"""Keeps generated documents in a folder. What they say: contract/dictionary, core, dashboards."""

from collections.abc import Mapping
from pathlib import Path

from stream_app.contract import dictionary
from stream_app.core import feature_dictionary

FOLDER = Path("docs/contract")


def documents() -> dict[str, str]:
    """Every document of the contract: file name -> text."""
    return dictionary.documents() | {"features.md": feature_dictionary.markdown()}


def stale(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Name the documents that are missing in `folder` or differ. Other files are not looked at."""
    return [name for name, text in wanted.items() if _read(folder / name) != text]


def write(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Bring the documents in `folder` up to date; name those that were not."""
    changed = stale(folder, wanted)
    for name in changed:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(wanted[name], "utf-8")
    return changed


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None
