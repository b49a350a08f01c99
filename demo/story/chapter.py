"""One variant, step by step: each method is one thing that a user would do by hand.

Two clocks. The market's runs some hundred thousand times as fast as the wall's, so that months
pass in a minute; but a training takes the seconds that it takes. While offline has something to
do, the replay waits: a real stream would not have moved on by more than minutes either.
"""

import re
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from demo import config
from demo.ending import shortened
from demo.folders import Folders
from demo.observer import Observer
from demo.programs import POLL_S, Program, Programs
from demo.screen import Screen, number, percent
from demo.story import summary, telling
from demo.story.chronicle import Chronicle
from demo.story.scenes import Scene, scenario
from demo.story.summary import Summary
from demo.system import System, Workers, last_line
from stream_app.contract.settings import KafkaSettings

PAGE_PORT = 8770
NEWEST = 200  # sales that the progress line's error is over
# By then some days of the market have passed; files of less time would be so many that reading
# them takes longer than they are apart.
SHORT_WAITS: config.Sections = {
    "offline": {"worker_promotes": "true", "worker_again_after_s": 5},
    "monitoring": {"flush_age_s": 1.5, "watch_every_s": 0.5},
}
OTHERS_WITHIN_S = 300.0
# What the watcher has not judged: more, and a replay waits for it; less, and it goes on.
BEHIND_DAYS_MAX = 12.0
BEHIND_DAYS = 3.0
POLICY = Path("monitoring/policy.toml")
# A pre-flight takes seconds of the wall's clock, and so a week of the story if asked each day.
REST_DAYS = 28
LINE_CHARS = 300
LOOKS_WITHIN_S = 180.0  # on a machine that is busy with other things
LOOKED = "rows read"  # what the watcher says after its first look
DAY = "%Y-%m-%d"


class Watched(Struct):
    """What `monitoring watch --json` prints."""

    decisions: int  # that it has written


class Chapter:
    """One run of one scene. `play` may be called once."""

    def __init__(
        self,
        scene: Scene,
        kafka: KafkaSettings,
        folders: Folders,
        programs: Programs,
        screen: Screen,
        seed: int,
    ) -> None:
        self._scene = scene
        self._kafka = kafka
        self._folders = folders
        self._programs = programs
        self._screen = screen
        self._scenario = folders.run / "scenario.toml"
        self._scenario.write_text(scenario(scene), encoding="utf-8")
        files = tuple(option for file in scene.files for option in ("--file", file))
        planted = "--scenario", str(self._scenario), "--seed", str(seed)
        self._system = System(scene.market, (*files, *planted), programs, screen)
        self._started_s = time.monotonic()
        self._told = 0
        self._last_line: str | None = None

    def play(self) -> Summary:
        """Run all steps; give what they came to."""
        self._write_settings()
        self._system.make_topics(self._kafka.prefix)
        with Observer(self._kafka, Chronicle(self._scene)) as observer:
            workers = self._system.start_workers()
            self._replay_history(observer, workers)
            self._system.train(self._scene.trained_to)
            watch = self._start_monitoring()
            self._stream(observer)
            self._settle(observer, workers, watch)
            run_s, sent = time.monotonic() - self._started_s, self._system.sent
            return observer.ask(lambda told: summary.summarise(self._scene, told, sent, run_s))

    def _write_settings(self) -> None:
        policy = self._folders.run / "policy.toml"
        policy.write_text(patient(POLICY.read_text(encoding="utf-8")), encoding="utf-8")
        own: config.Sections = {
            "offline": {"worker_logs": self._folders.logs / "offline"},
            "monitoring": {"policy_file": policy},
        }
        told = config.during_the_run(self._kafka, self._folders, [SHORT_WAITS, own])
        self._folders.settings.write_text(told, encoding="utf-8")

    def _replay_history(self, observer: Observer[Chronicle], workers: Workers) -> None:
        scene = self._scene
        self._screen.step(f"What was before {scene.trained_to}, as fast as it goes")
        span = "--to", scene.trained_to, "--speed", "max"
        self._system.replay("replay-history", *span, each=lambda: self._tell(observer))
        self._system.await_applied(observer, workers, lambda: self._tell(observer))

    def _start_monitoring(self) -> Program:
        """Start those who look after it; give the watcher."""
        self._screen.step("Who looks after it: the watcher, the retraining worker, the ops page")
        port = free_port(PAGE_PORT)
        watch = self._programs.start("watch", *self._watching)
        self._programs.start("offline-worker", "offline", "worker")
        self._programs.start("page", "monitoring", "page", "--port", str(port))
        # What flows before its first look is judged at its end only, as what was long ago.
        self._programs.await_(
            lambda: LOOKED in watch.log.read_text(encoding="utf-8"),
            LOOKS_WITHIN_S,
            watch,
            "read what is archived",
        )
        self._screen.say(f"ops page: http://127.0.0.1:{port}/{self._scene.market}")
        return watch

    @property
    def _watching(self) -> tuple[str, ...]:
        return "monitoring", "watch", "--market", self._scene.market, "--json"

    def _stream(self, observer: Observer[Chronicle]) -> None:
        scene = self._scene
        planted = scene.planted
        what = f"{planted[0].kind} from {planted[0].from_}" if planted else "nothing is planted"
        self._screen.step(
            f"{scene.trained_to} to {scene.end} at {scene.times_real:,} times real time; {what}"
        )
        while not self._flows_to_its_end(observer):
            self._await_others(observer)
        self._screen.settle()

    def _flows_to_its_end(self, observer: Observer[Chronicle]) -> bool:
        """Replay until there is no more, or all is told; False: others must come after first."""
        replay = self._start_rest()
        while replay.process.poll() is None:
            self._programs.check(but=replay)
            self._tell(observer)
            must_wait, is_over = observer.ask(
                lambda told: (awaited(told, BEHIND_DAYS_MAX) is not None, told.is_settled)
            )
            if must_wait or is_over:
                self._system.stop_replay(replay)
                return is_over
            time.sleep(POLL_S)
        self._system.count_sent(self._programs.finish(replay))
        return True

    def _await_others(self, observer: Observer[Chronicle]) -> None:
        """Let offline and the watcher come after: by the market's clock they take no time."""
        self._screen.say(f"the replay waits for {observer.ask(awaited)}")
        since_s = time.monotonic()
        while observer.ask(awaited) is not None:
            self._programs.check()
            self._tell(observer)
            if time.monotonic() - since_s > OTHERS_WITHIN_S:
                self._screen.say(f"it has waited for {OTHERS_WITHIN_S:g} s, and goes on")
                return
            time.sleep(POLL_S)

    def _start_rest(self) -> Program:
        """Go on where the last one was stopped."""
        scene = self._scene
        span = "--from", scene.trained_to, "--to", scene.end, "--speed", f"{scene.times_real}x"
        checkpoint = "--checkpoint", str(self._folders.run / "rest.checkpoint")
        return self._system.start_replay("replay-rest", *span, *checkpoint)

    def _settle(self, observer: Observer[Chronicle], workers: Workers, watch: Program) -> None:
        """All that was sent is applied, learned from, archived and looked at."""
        self._screen.step("The end: what is still on its way is taken in, archived and looked at")
        self._system.await_applied(observer, workers, lambda: self._tell(observer))
        self._system.await_learned(observer, workers)
        self._programs.stop(watch)
        self._programs.stop(workers.archiver)
        self._programs.run("archive-rest", "monitoring", "archive", "--once")
        last = self._programs.run("watch-rest", *self._watching, "--once")
        written = sum(_decisions(printed) for printed in (watch.printed(), last))
        self._programs.await_(
            lambda: observer.ask(Chronicle.decisions) >= written,
            LOOKS_WITHIN_S,
            watch,
            "have its last decisions read",
        )
        self._tell(observer)
        self._screen.settle()

    def _tell(self, observer: Observer[Chronicle]) -> None:
        """Show what was said since the last time, and how far the market is."""
        said = observer.ask(lambda told: told.said[self._told :])
        self._told += len(said)
        for each in said:
            line = telling.line(each.message)
            if line not in (None, self._last_line):  # what is decided each day again is said once
                at_s = time.monotonic() - self._started_s
                short = shortened(f"{day(each.market_ms)}  {line}", LINE_CHARS)
                self._screen.say(f"{at_s:4.0f} s  {short}")
                self._last_line = line
        self._screen.tick(observer.ask(progress))


def awaited(told: Chronicle, behind_days: float = BEHIND_DAYS) -> str | None:
    """Whom the replay has to wait for; None: nobody."""
    if told.is_asked():
        return "offline: a training takes seconds, in which weeks would pass"
    return "the watcher" if told.judged_behind_days() > behind_days else None


def progress(told: Chronicle) -> str:
    """How far the market is, and how good the answers are."""
    if not told.event_times_ms:
        return "no event yet"
    newest = told.sold[-NEWEST:]
    error = (
        "" if not newest else f", off by {percent(summary.mdape(newest))} (median of {len(newest)})"
    )
    return f"{day(told.newest_ms)}, {number(len(told.event_times_ms))} events{error}"


def day(at_ms: int) -> str:
    """A day of the market's.

    >>> day(1_410_739_200_000), day(0)
    ('2014-09-15', '          ')
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime(DAY) if at_ms else " " * 10


def patient(policy: str) -> str:
    """The shipped policy, but for how long a cause rests after a decision: REST_DAYS.

    >>> patient("cooldown_h = 24")
    'cooldown_h = 672'
    """
    return re.sub(r"(?m)^cooldown_h = .*$", f"cooldown_h = {24 * REST_DAYS}", policy)


def free_port(wanted: int) -> int:
    """The wanted port, or another one where somebody has it."""
    for port in (wanted, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(tried.getsockname()[1])
    return wanted


def _decisions(printed: str) -> int:
    return msgspec.json.decode(last_line(printed), type=Watched).decisions
