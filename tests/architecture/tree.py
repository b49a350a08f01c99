"""The repository as the architecture tests see it: files, and what was counted in them."""

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("producers", "stream_app", "offline", "monitoring", "demo", "bench")

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


class Function(NamedTuple):
    place: str  # file:line name
    lines: int  # code lines of the body: no signature, docstring, comment or empty line


@cache
def sources(*folders: str) -> tuple[Path, ...]:
    """All Python files under these folders of the repository."""
    return tuple(sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a file; what is nested counts in both."""
    text = path.read_text("utf-8")
    code = _code_lines(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            place = f"{shown(path)}:{node.lineno} {node.name}"
            yield Function(place, len(code & _body(node)))


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    first, *rest = node.body
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    body = rest if is_docstring else node.body
    return {line for each in body for line in range(each.lineno, (each.end_lineno or 0) + 1)}


def _code_lines(text: str) -> set[int]:
    return {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
