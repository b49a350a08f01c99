"""Files that are on disk, name and all, when a call returns."""

import os
import secrets
from pathlib import Path


def write_new(path: Path, content: bytes) -> None:
    """Write a new file. Raises FileExistsError when there is one."""
    make_folder(path.parent)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    flush_folder(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Write a file at once or not at all, whether there is one or not."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    write_new(part, content)
    part.replace(path)
    flush_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
