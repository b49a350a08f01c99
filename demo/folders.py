"""Where a run keeps its things. One demo at a time uses a folder; each run begins anew.

<out>/summary.json        what the run came to
<out>/logs/<program>.log  what each program said
<out>/reports/            Evidently reports, HTML and JSON
<out>/run/                broker data, model store, registry, archive
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple


class InUse(Exception):
    """Another demo, or a broker that was started by hand, works in this folder."""


class Folders(NamedTuple):
    """As given: relative ones hold in the working directory, which all programs share."""

    out: Path

    @property
    def settings(self) -> Path:
        return self.out / "housing.toml"

    @property
    def summary(self) -> Path:
        return self.out / "summary.json"

    @property
    def logs(self) -> Path:
        return self.out / "logs"

    @property
    def reports(self) -> Path:
        return self.out / "reports"

    @property
    def run(self) -> Path:
        return self.out / "run"

    @property
    def broker(self) -> Path:
        return self.run / "broker"

    @property
    def models(self) -> Path:
        return self.run / "models"

    @property
    def archive(self) -> Path:
        return self.run / "archive"


@contextmanager
def fresh(out: Path) -> Iterator[Folders]:
    """Empty what the last run left, and keep others out until the end.

    Raises
    ------
    InUse : another demo runs here, or a broker on what the last one left
    """
    folders = Folders(out)
    folders.out.mkdir(parents=True, exist_ok=True)
    with (folders.out / "lock").open("a") as lock:
        if not _taken(lock):
            raise InUse(f"another demo runs in {out}: wait for it, or take another --out")
        _refuse_broker(folders.broker)
        folders.summary.unlink(missing_ok=True)
        for folder in (folders.logs, folders.reports, folders.run):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        yield folders


def _refuse_broker(data: Path) -> None:
    """A running broker holds the lock of its data folder; it must not lose its data."""
    file = data / "broker.lock"
    if not file.exists():
        return
    with file.open() as lock:
        if not _taken(lock):
            raise InUse(
                f"a broker still works on {data} ({lock.read().strip()}): stop it, "
                "or take another --out"
            )


def _taken(lock: IO[str]) -> bool:
    """Take the lock until the file is closed; False when somebody has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
