"""Functions and files are short enough to be read at a glance."""

import statistics
from collections.abc import Callable

from tests.architecture import tree

FUNCTION_LINES_MEDIAN = 6
FUNCTION_LINES_P90 = 20
FUNCTION_LINES_MAX = 40
FILE_LINES_MEDIAN = 150
FILE_LINES_MAX = 400


def test_functions_are_short(tell: Callable[[str], None]) -> None:
    found = [each for path in tree.sources(*tree.PACKAGES) for each in tree.functions(path)]
    lines = [each.lines for each in found]
    median, p90 = statistics.median(lines), statistics.quantiles(lines, n=10)[-1]
    tell(f"{len(lines)} functions: median {median:g} code lines, p90 {p90:g}, max {max(lines)}")

    assert {each.place: each.lines for each in found if each.lines > FUNCTION_LINES_MAX} == {}
    assert median <= FUNCTION_LINES_MEDIAN
    assert p90 <= FUNCTION_LINES_P90


def test_files_are_short(tell: Callable[[str], None]) -> None:
    lines = {
        tree.shown(path): len(path.read_text("utf-8").splitlines())
        for path in tree.sources(*tree.PACKAGES, "tests")
        if path.name != "__init__.py"
    }
    median = statistics.median(lines.values())
    tell(f"{len(lines)} files: median {median:g} lines, max {max(lines.values())}")

    assert {place: count for place, count in lines.items() if count > FILE_LINES_MAX} == {}
    assert median <= FILE_LINES_MEDIAN
