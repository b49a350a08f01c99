"""The Evidently workspace beside the reports: a project per market, a JSON snapshot per report.

What it shows stands in the report folders, too; a workspace that was lost is filled by the next runs.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FOLDER = "workspace"


def add(reports: Path, market: str, run: str, snapshots: Mapping[str, Any]) -> tuple[str, ...]:
    """Put the snapshots of a run into the market's project; give their ids."""
    if not snapshots:
        return ()
    from evidently.ui.workspace import Workspace

    workspace = Workspace.create(str(reports / FOLDER))
    projects = workspace.search_project(market)
    project = projects[0] if projects else workspace.create_project(market)
    return tuple(
        str(workspace.add_run(project.id, snapshot, name=f"{name} {run}").id)
        for name, snapshot in snapshots.items()
    )


def remove(reports: Path, snapshots: Iterable[str]) -> None:
    """Take the snapshots of a run out; those that are not there are gone already."""
    for snapshot in snapshots:
        for path in (reports / FOLDER).glob(f"*/snapshots/{snapshot}.json"):
            path.unlink(missing_ok=True)
