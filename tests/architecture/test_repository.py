"""What is committed names no machine and no package index; examples are run, mocks are few."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.architecture import tree

MOCKS_PER_100_TESTS_MAX = 3
MOCKS = {"Mock", "MagicMock", "AsyncMock", "create_autospec", "patch"}

# In pieces, so that this file does not find itself.
MACHINE = "|".join(
    ("/" + "work/", "/" + "root/", r"/home/\w+/", r"/Users/\w+/", "/opt/" + "wheels")
)
INDEX = "|".join(
    ("--(extra-)?index-" + "url", "--find-" + "links", r"https?://[^\s\"']*/" + "simple")
)
INDEX_SETTINGS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


def committed() -> list[Path]:
    """Files that git knows, or would take at the next `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=tree.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("no git here")
    return [path for name in listed.stdout.splitlines() if (path := tree.ROOT / name).is_file()]


def hits(pattern: str) -> list[str]:
    """Where the pattern stands, in text files."""
    return [
        f"{tree.shown(path)}:{number}: {line.strip()[:100]}"
        for path in committed()
        if (text := _text(path)) is not None
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return None


def test_no_committed_file_names_a_path_of_a_machine() -> None:
    assert hits(MACHINE) == []


def test_no_committed_file_names_a_package_index() -> None:
    assert hits(INDEX) == []


def test_no_committed_file_names_the_index_of_this_machine() -> None:
    set_here = [os.environ[name] for name in INDEX_SETTINGS if os.environ.get(name)]
    hosts = {host for address in set_here if (host := urlsplit(address).hostname)}

    assert [hit for host in sorted(hosts) for hit in hits(re.escape(host))] == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert re.search(MACHINE, "see /home/" + "me/notes")
    assert re.search(INDEX, "pip install --index-" + "url https://example.org")


def _nodes() -> Iterator[ast.AST]:
    for path in tree.sources("tests"):
        yield from ast.walk(ast.parse(path.read_text("utf-8")))


def _is_mock(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        return node.attr in MOCKS or (owner == "monkeypatch" and node.attr == "setattr")
    return isinstance(node, ast.Name) and node.id in MOCKS


def without_a_run(*tested: str) -> list[str]:
    """The modules with examples that lie below none of these paths."""
    return [
        str(path.relative_to(tree.ROOT))
        for path in tree.sources(*tree.PACKAGES)
        if "    >>> " in path.read_text("utf-8")
        and not any(path.is_relative_to(tree.ROOT / each) for each in tested)
    ]


def test_every_example_in_a_docstring_is_run() -> None:
    settings = tomllib.loads((tree.ROOT / "pyproject.toml").read_text("utf-8"))
    tested = settings["tool"]["pytest"]["ini_options"]["testpaths"]

    assert without_a_run(*tested) == []
    assert "monitoring/rollup.py" in without_a_run(*[p for p in tested if p != "monitoring"])


def test_fakes_and_the_real_thing_come_before_mocks(tell: Callable[[str], None]) -> None:
    nodes = list(_nodes())
    mocks = sum(map(_is_mock, nodes))
    tests = sum(isinstance(n, ast.FunctionDef) and n.name.startswith("test_") for n in nodes)
    tell(f"{mocks} mocks in {tests} tests")

    assert 100 * mocks <= MOCKS_PER_100_TESTS_MAX * tests
