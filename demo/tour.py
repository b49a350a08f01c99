"""The demo, step by step."""

import time
from typing import NamedTuple

import msgspec
from msgspec import Struct

from demo.account import Loss
from demo.ending import shortened
from demo.folders import Folders
from demo.observer import Observer
from demo.plan import Plan
from demo.programs import Program, Programs
from demo.screen import Screen
from demo.summary import Run, Summary, summarise
from demo.system import System, Workers, last_line
from demo.watch import Watch
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import DEFAULT_PARTITIONS

# While the champion is loaded and checked, events trickle: a partition tells which
# champion serves it with the first batch that it makes.
TRICKLE = "100/s"
FINDING_CHARS = 200


class Told(NamedTuple):
    """What a run came to."""

    summary: Summary
    losses: tuple[Loss, ...]


class Reported(Struct):
    """What `monitoring report --json` prints."""

    findings: tuple[str, ...]


class Tour:
    """One run. Steps are called in order, once."""

    def __init__(
        self, plan: Plan, kafka: KafkaSettings, folders: Folders, programs: Programs, screen: Screen
    ) -> None:
        self._plan = plan
        self._kafka = kafka
        self._folders = folders
        self._programs = programs
        self._screen = screen
        files = tuple(option for file in plan.files for option in ("--file", file))
        self._system = System(plan.market, files, programs, screen)

    def give(self, started_s: float) -> Told:
        """Run all steps but the broker; give what they came to."""
        system = self._system
        system.make_topics(self._kafka.prefix)
        with Observer(self._kafka, Watch(self._plan.market)) as observer:
            workers = system.start_workers()
            setup_s = time.monotonic() - started_s
            self._replay_history(observer, workers)
            system.train(self._plan.split)
            self._activate(observer, workers)
            observer.ask(Watch.begin_paced)
            self._replay_rest(observer)
            system.await_applied(observer, workers, lambda: self._show(observer))
            system.await_learned(observer, workers)
            self._report(workers)
            run = Run(
                market=self._plan.market,
                currency=MARKETS[self._plan.market].currency,
                sent=system.sent,
                paced_events_per_s=self._plan.events_per_s,
                setup_s=round(setup_s, 1),
                run_s=round(time.monotonic() - started_s, 1),
            )
            return observer.ask(
                lambda watch: Told(summarise(watch, run), watch.account.losses(run.sent))
            )

    def _replay_history(self, observer: Observer[Watch], workers: Workers) -> None:
        self._screen.step(f"Sales before {self._plan.split}, as fast as they go")
        self._screen.say("no champion yet: the regional median answers, marked degraded")
        span = "--to", self._plan.split, "--speed", "max"
        self._system.replay("replay-history", *span, each=lambda: self._show(observer))
        self._system.await_applied(observer, workers, lambda: self._show(observer))
        observer.ask(Watch.end_fast)

    def _activate(self, observer: Observer[Watch], workers: Workers) -> None:
        """Let events trickle until every partition serves with the champion."""
        self._screen.step("Swap: each partition takes the champion at a batch boundary")
        trickle = self._start_rest("replay-trickle", TRICKLE)
        self._system.await_active(observer, workers)
        self._system.stop_replay(trickle)
        self._system.await_applied(observer, workers, lambda: None)
        self._screen.say(f"{DEFAULT_PARTITIONS} of {DEFAULT_PARTITIONS} partitions serve with it")

    def _replay_rest(self, observer: Observer[Watch]) -> None:
        pace = self._plan.events_per_s
        self._screen.step(f"The rest of the sales, {pace:,} events a second")
        program = self._start_rest("replay-rest", f"{pace}/s")
        self._system.count_sent(self._programs.finish(program, lambda: self._show(observer)))

    def _show(self, observer: Observer[Watch]) -> None:
        self._screen.show(lambda: observer.ask(Watch.view))

    def _report(self, workers: Workers) -> None:
        plan = self._plan
        self._screen.step(f"Report: {plan.split} to {plan.middle} against {plan.middle} and later")
        self._programs.stop(workers.archiver)
        # It goes on where the one before ended, up to the end of what is there.
        self._programs.run("archive-rest", "monitoring", "archive", "--once")
        windows = "--reference", f"{plan.split}..{plan.middle}", "--current"
        printed = self._programs.run(
            "report",
            *("monitoring", "report", "--market", plan.market),
            *(*windows, f"{plan.middle}..{plan.end}", "--json"),
        )
        reported = msgspec.json.decode(last_line(printed), type=Reported)
        for finding in reported.findings or ("nothing has shifted",):
            self._screen.say(shortened(finding, FINDING_CHARS))

    def _start_rest(self, name: str, speed: str) -> Program:
        """Replay from the split on; by its checkpoint the second run goes on after the first."""
        span = "--from", self._plan.split, "--to", self._plan.end, "--speed", speed
        checkpoint = "--checkpoint", str(self._folders.run / "rest.checkpoint")
        return self._system.start_replay(name, *span, *checkpoint)
