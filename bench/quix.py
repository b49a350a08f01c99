"""The environment of Quix Streams, which wants an older confluent-kafka than ours.

Made once, from a lock with hashes, by the package index that pip is set up for.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from bench.ground import FOLDER
from bench.say import say

LOCK = Path(__file__).with_name("quix-requirements.lock")
_WITHIN_S = 600.0


class NoQuix(Exception):
    """The environment could not be made; the text says why."""


def locked_version() -> str:
    """The version of Quix Streams that the lock names."""
    found = re.search(r"^quixstreams==(\S+)", LOCK.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else "unknown"


def python() -> Path:
    """The interpreter of the environment, which is made if it is not there, or of another lock.

    Raises
    ------
    NoQuix : pip could not install what is locked
    """
    folder = (FOLDER / "quix-env").absolute()
    installed = folder / "installed.lock"
    if not installed.exists() or installed.read_bytes() != LOCK.read_bytes():
        say("setting up an environment for Quix Streams, once; a minute or two")
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(folder))
        pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--no-input")
        _run(str(folder / "bin" / "python"), *pip, "-r", str(LOCK))
        shutil.copyfile(LOCK, installed)
    return folder / "bin" / "python"


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoQuix(f"no environment for Quix Streams: {error}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip left no word"])[-1]
        raise NoQuix(f"no environment for Quix Streams: {last}")
