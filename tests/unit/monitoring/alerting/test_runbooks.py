"""Every cause has its page, every page its parts, and every command on a page is one that there is."""

import argparse
import ast
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from monitoring import __main__ as monitoring_program
from monitoring.alerting import causes
from monitoring.alerting.causes import CAUSES, Condition, Event
from monitoring.detectors.finding import Cause
from offline import arguments as offline_program
from producers import arguments as producers_program
from stream_app import __main__ as stream_program
from stream_app.contract.alerts import DOUBTED
from stream_app.shell import alarms
from stream_app.shell.shelf import Refusal
from stream_app.stages import standing

ROOT = Path(__file__).parents[4]
PAGES = sorted((ROOT / causes.RUNBOOKS).glob("*.md"))
TEMPLATE = "incident-template"
# Whoever builds an alert in another file has to give its cause a page, and a line here.
RAISED_IN = {
    "monitoring/alerting/raising.py",
    "stream_app/shell/alarms.py",
    "stream_app/stages/standing.py",
}
PARSERS: Mapping[str, argparse.ArgumentParser] = {
    "monitoring": monitoring_program._parser(),
    "offline": offline_program.parser(),
    "producers": producers_program.parser(),
    "stream_app": stream_program._parser(),
}
_COMMAND = re.compile(r"python -m [^`\n]+")


def commands(page: Path) -> Iterator[str]:
    for found in _COMMAND.findall(page.read_text("utf-8")):
        yield found.strip()


def mistake(command: str) -> str | None:
    """What of it there is not; None: all is there."""
    _, _, program, *words = shlex.split(command)
    if program not in PARSERS:
        return f"no program {program}"
    parser = PARSERS[program]
    while (inner := _subcommands(parser)) and words and not words[0].startswith("-"):
        if words[0] not in inner:
            return f"no command {words[0]}"
        parser = inner[words.pop(0)]
    known = {option for action in parser._actions for option in action.option_strings}
    unknown = [word for word in words if word.startswith("--") and word not in known]
    return f"no option {unknown[0]}" if unknown else None


def _subcommands(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def built_in(root: Path) -> set[str]:
    """The files that build an alert themselves."""
    found = set()
    for package in ("demo", "monitoring", "offline", "producers", "stream_app"):
        for path in (root / package).rglob("*.py"):
            calls = (
                n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)
            )
            if any(isinstance(call.func, ast.Name) and call.func.id == "Alert" for call in calls):
                found.add(path.relative_to(root).as_posix())
    return found


def test_every_cause_is_known() -> None:
    said = {*map(causes.of_finding, Cause), *Condition, *Event, DOUBTED}

    assert set(CAUSES) == said


def test_nobody_else_raises_alerts() -> None:
    assert built_in(ROOT) == RAISED_IN


def test_what_scorers_raise_is_known_and_has_the_same_page() -> None:
    refusal = Refusal("king-county", "champion", "v1", "bad", None)

    for told in (alarms.alert(refusal, 7), alarms.alert(refusal._replace(again=True), 7)):
        assert told.runbook == causes.runbook_of(told.cause)
    assert causes.runbook_of(DOUBTED) == standing.RUNBOOK


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_has_its_page(cause: str) -> None:
    assert (ROOT / causes.runbook_of(cause)).is_file()


def test_the_page_of_alerts_lists_every_cause() -> None:
    rows = {
        f"| `{cause}` | {told.impact} | {told.action} | [{told.page}](runbooks/{told.page}.md) |"
        for cause, told in CAUSES.items()
    }
    lines = (ROOT / "docs" / "alerts.md").read_text("utf-8").splitlines()

    assert {line for line in lines if "](runbooks/" in line and line.startswith("| `")} == rows


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_is_that_of_a_cause_and_has_its_parts(page: Path) -> None:
    text = page.read_text("utf-8")
    if page.stem == TEMPLATE:
        return
    told = {cause for cause, said in CAUSES.items() if said.page == page.stem}

    assert told
    assert [cause for cause in sorted(told) if f"`{cause}" not in text] == []
    assert re.findall(r"^## What to do$", text, re.MULTILINE)
    assert re.findall(r"^## How it ends$", text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_on_a_page_is_there(page: Path) -> None:
    found = list(commands(page))

    assert found
    assert [(command, why) for command in found if (why := mistake(command))] == []


@pytest.mark.parametrize(
    "command",
    [
        "python -m monitoring silence ID",
        "python -m monitoring alerts list --opened",
        "python -m kafka topics",
    ],
)
def test_a_command_that_there_is_not_is_caught(command: str) -> None:
    assert mistake(command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_link_leads_nowhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)]+\.md)\)", page.read_text("utf-8"))

    assert [link for link in links if not (page.parent / link).is_file()] == []
