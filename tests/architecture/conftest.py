"""Figures that are told, not judged: times depend on the machine."""

from collections.abc import Callable

import pytest

_FIGURES: list[str] = []


@pytest.fixture
def tell() -> Callable[[str], None]:
    """Show a figure at the end of the run."""
    return _FIGURES.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _FIGURES:
        terminalreporter.section("architecture", sep="-")
        for figure in _FIGURES:
            terminalreporter.write_line(figure)
