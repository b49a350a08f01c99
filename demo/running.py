"""A run from the first signal to the exit status: what the demo and the story begin and end alike."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from rich.console import Console

from demo import brokers, ending, folders, settings
from demo.folders import Folders, InUse
from demo.observer import ReadingFailed
from demo.programs import ProgramFailed, Programs
from demo.screen import Screen, screen_for
from demo.stopping import Stop, Stopped
from stream_app.contract.settings import KafkaSettings

FAILED = 1
WRONG_INPUT = 2

T = TypeVar("T")


class Ground(NamedTuple):
    """What a run stands on."""

    kafka: KafkaSettings
    out: Folders
    programs: Programs
    screen: Screen
    console: Console


def run(
    what: str, folder: Path, play: Callable[[Ground], T], end: Callable[[T, Ground], int]
) -> int:
    """Play with a broker that answers, and tell the end when nothing runs any more.

    Parameters
    ----------
    what : is run, in words to people
    play : starts programs of the ground's; whatever happens, they are stopped after it
    end : the result is the exit status
    """
    stop = Stop()
    stop.listen()
    held_a_run = Folders(folder).run.exists()
    try:
        with folders.fresh(folder) as out:
            if held_a_run:
                _say(f"{what}: {folder} held a run, which is removed (another --out keeps one)")
            return _run(what, out, stop, play, end)
    except InUse as error:
        _say(f"{what}: {error}")
        return WRONG_INPUT
    except ReadingFailed as error:
        _say(f"{what}: {error}. All programs were stopped; logs are below {folder}")
        return FAILED
    except Stopped as stopped:
        _say(f"{what}: stopped, with all that it had started: nothing of it runs any more")
        return stopped.status


def _run(
    what: str,
    out: Folders,
    stop: Stop,
    play: Callable[[Ground], T],
    end: Callable[[T, Ground], int],
) -> int:
    console = Console(soft_wrap=True)
    shown = screen_for(console)
    programs = Programs(out.logs, settings.plain_environment(), stop.check)
    try:
        ground = Ground(brokers.bring_up(out, programs, shown), out, programs, shown, console)
        played = play(ground)
    except ProgramFailed as failed:
        shown.settle()
        programs.stop_all()
        for line in ending.failure_lines(failed, what):
            _say(line)
        return FAILED
    finally:
        shown.settle()
        programs.stop_all()
    return end(played, ground)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
