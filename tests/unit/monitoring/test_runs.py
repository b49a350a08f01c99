"""Old reports go with their snapshots, and the index pages what is left."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec.structs import replace

from monitoring import index, runs
from monitoring.asked import Asked
from monitoring.windows import Windows

NOW = datetime.now(UTC)


def filed(out: Path, count: int) -> None:
    """One failed run a day, the newest today."""
    asked = Asked("hdb", Windows(None, None), Path("archive"), out, "housing")
    for days in range(count):
        made = NOW - timedelta(days=days)
        run, summary = runs.folder_of(asked, made), runs.begun(asked, made)
        run.mkdir(parents=True)
        (run / index.SUMMARY).write_bytes(msgspec.json.encode(summary))


def test_runs_that_are_too_old_or_too_many_go(tmp_path: Path) -> None:
    filed(tmp_path, 10)

    assert len(runs.prune(tmp_path, 6, 100, dry_run=True).runs) == 4
    assert len(index.found(tmp_path)) == 10
    assert len(runs.prune(tmp_path, 6, 100, dry_run=False).runs) == 4
    assert len(runs.prune(tmp_path, 400, 5, dry_run=False).runs) == 1
    assert runs.prune(tmp_path, 400, 5, dry_run=False) == runs.Pruned((), 5, False)
    assert len((tmp_path / index.CSV).read_text().splitlines()) == 1 + 5


def test_a_run_takes_its_snapshots_with_it(tmp_path: Path) -> None:
    filed(tmp_path, 2)
    snapshots = tmp_path / "workspace" / "project" / "snapshots"
    snapshots.mkdir(parents=True)
    for name in ("old", "new"):
        (snapshots / f"{name}.json").touch()
    for (run, summary), name in zip(index.found(tmp_path), ("new", "old"), strict=True):
        runs.file(run, replace(summary, snapshots=(name,)))

    runs.prune(tmp_path, 400, 1, dry_run=False)

    assert [path.name for path in snapshots.iterdir()] == ["new.json"]


def test_many_runs_are_paged_and_pages_that_are_left_over_go(tmp_path: Path) -> None:
    filed(tmp_path, 2 * index.RUNS_A_PAGE + 1)
    index.write(tmp_path)

    pages = sorted(path.name for path in tmp_path.glob("*.html"))
    assert pages == ["index-2.html", "index-3.html", "index.html"]
    assert (tmp_path / "index.html").read_text().count("<article>") == index.RUNS_A_PAGE
    assert 'href="index-3.html"' in (tmp_path / "index-2.html").read_text()

    runs.prune(tmp_path, 400, 3, dry_run=False)

    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["index.html"]
