"""The programs of one market, and what is done with them step by step.

What the tour (tour.py) and the story (story/) have in common. Each method is one thing that a
user would do by hand.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from demo.observer import Observer
from demo.programs import Program, Programs
from demo.screen import Screen
from demo.watch import Watch
from stream_app.contract.topics import DEFAULT_PARTITIONS

ACTIVE_WITHIN_S = 60.0
STUCK_AFTER_S = 60.0


class Replayed(Struct):
    """What `producers replay --json` prints, as its last line."""

    events: int  # sent and confirmed


class Trained(Struct):
    """What `offline train --json` prints."""

    version: str


class Workers(NamedTuple):
    """What runs until the end."""

    scorer: Program
    learner: Program
    archiver: Program


class System:
    """The programs that serve one market, on topics of their own."""

    def __init__(
        self, market: str, replayed: tuple[str, ...], programs: Programs, screen: Screen
    ) -> None:
        """`replayed`: options of `producers replay` that say what its history is."""
        self._market = market
        self._replayed = replayed
        self._programs = programs
        self._screen = screen
        self.sent = 0  # events that the producers confirmed

    def make_topics(self, prefix: str) -> None:
        self._screen.step("Topics")
        self._programs.run("topics", "stream_app", "topics", "create")
        self._screen.say(f"made under the prefix {prefix}")

    def start_workers(self) -> Workers:
        self._screen.step("Workers: scorer, learner, archiver")
        start = self._programs.start
        return Workers(
            scorer=start("scorer", "stream_app", "supervise", "--stage", "scorer"),
            learner=start("learner", "stream_app", "supervise", "--stage", "learner"),
            archiver=start("archiver", "monitoring", "archive"),
        )

    def train(self, until: str) -> str:
        """Train the first champion on what was sold before a day, and announce it."""
        self._screen.step(f"Champion: trained on the topic, sales before {until}")
        market = "--market", self._market
        topic = "--events", "topic", "--train-to", until
        program = self._programs.start("train", "offline", "train", *market, *topic, "--json")
        printed = self._programs.finish(program, lambda: self._screen.tick("training"))
        self._screen.settle()
        trained = msgspec.json.decode(last_line(printed), type=Trained)
        first = "--without-gate", "the first champion: there is none to be better than"
        self._programs.run("promote", "offline", "promote", *market, *first, "--json")
        self._screen.say(f"champion {trained.version} is announced")
        return trained.version

    def start_replay(self, name: str, *options: str) -> Program:
        return self._programs.start(
            name,
            "producers",
            "replay",
            "--source",
            self._market,
            *self._replayed,
            *options,
            "--json",
        )

    def replay(self, name: str, *options: str, each: Callable[[], None]) -> None:
        """Replay to its end."""
        self.count_sent(self._programs.finish(self.start_replay(name, *options), each))

    def stop_replay(self, replay: Program) -> None:
        """End it before its time: what it sent is confirmed."""
        self._programs.stop(replay)
        if printed := replay.printed():  # else it was stopped before it had begun
            self.count_sent(printed)

    def count_sent(self, printed: str) -> None:
        self.sent += msgspec.json.decode(last_line(printed), type=Replayed).events

    def await_active(self, observer: Observer[Watch], workers: Workers) -> None:
        """Wait until every partition serves with a champion; events must flow for that."""
        self._programs.await_(
            lambda: observer.ask(Watch.champion_partitions) == DEFAULT_PARTITIONS,
            ACTIVE_WITHIN_S,
            workers.scorer,
            "activate the champion in all partitions",
        )

    def await_applied(
        self, observer: Observer[Watch], workers: Workers, show: Callable[[], None]
    ) -> None:
        """Wait until every event that was sent is applied."""

        def is_applied() -> bool:
            show()
            totals, lag = observer.ask(lambda w: (w.account.totals(), w.account.lag()))
            return totals.events >= self.sent and lag == 0

        self._programs.await_(
            is_applied,
            STUCK_AFTER_S,
            workers.scorer,
            "apply any more events",
            progress=lambda: observer.ask(lambda w: (w.account.totals(), w.account.lag())),
        )
        self._screen.settle()

    def await_learned(self, observer: Observer[Watch], workers: Workers) -> None:
        """Wait until every outcome is learned from."""
        self._programs.await_(
            lambda: observer.ask(Watch.unlearned) == 0,
            STUCK_AFTER_S,
            workers.learner,
            "learn from any more outcomes",
            progress=lambda: observer.ask(Watch.unlearned),
        )


def last_line(printed: str) -> str:
    r"""A command's result: the last line of what it printed.

    >>> last_line("one\ntwo\n")
    'two'
    """
    return printed.rstrip().rpartition("\n")[2]
