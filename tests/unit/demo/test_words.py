"""What a person reads: live figures, last words, settings to go on with."""

import fcntl
import io
import subprocess
import tomllib
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from demo import config, ending, folders, plan, screen
from demo.folders import Folders, InUse
from demo.programs import Program, ProgramFailed
from demo.summary import Run, Summary, exit_status, per_second, summarise
from demo.watch import Watch
from stream_app.contract.settings import KafkaSettings
from tests import builders, demo_log


def watched() -> Watch:
    watch = Watch(builders.MARKET)
    for record in demo_log.received(demo_log.some_of_everything()):
        watch.take(record)
    return watch


def summary(**changes: object) -> Summary:
    run = Run(
        market="king-county",
        currency="USD",
        sent=len(demo_log.some_of_everything()),
        paced_events_per_s=1_000,
        setup_s=1.0,
        run_s=2.0,
    )
    return msgspec.structs.replace(summarise(watched(), run), **changes)


def shown(terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, color_system=None)
    shows = screen.screen_for(console)
    shows.step("Kafka")
    shows.show(watched().view)
    shows.settle()
    return out.getvalue()


def test_a_log_gets_one_line_of_figures() -> None:
    lines = shown(terminal=False).splitlines()

    assert lines == [
        "1. Kafka (0 s)",
        "   13 events, 4 predictions, 3 sales joined, 0 events waiting",
    ]


def test_a_terminal_gets_a_table_with_the_same_figures() -> None:
    text = shown(terminal=True)

    assert "outcomes (sales joined)" in text
    assert "40 / 40 ms" in text


def test_nothing_in_an_id_commands_the_terminal() -> None:
    from tests import messages

    line = screen.sample_line(messages.prediction(listing_id="a\x1b[2Jb"))

    assert line.startswith("a?[2Jb in kc-98178: USD 240,000")


def test_the_verdict_is_success_only_when_nothing_is_lost_or_doubled() -> None:
    good, bad = summary(), summary(lost=2, visible_twice=1)

    assert ending.verdict(good, []) == ["All 13 events are accounted for: 0 lost, 0 visible twice."]
    assert ending.verdict(bad, ["2 sale: partition 1, among offsets 4, 7"]) == [
        "FAILED: 2 events lost, 1 results visible twice",
        "  lost: 2 sale: partition 1, among offsets 4, 7",
    ]
    assert (exit_status(good), exit_status(bad)) == (0, 1)


def test_a_failure_shows_the_end_of_the_log_and_what_to_do(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    process = subprocess.Popen(["true"])
    process.wait()
    program = Program("train", process, log, tmp_path / "train.out")

    lines = ending.failure_lines(ProgramFailed(program, "ended with status 2"), "demo")

    assert lines[0] == f"demo: train ended with status 2. The end of {log}:"
    assert lines[2:17] == [f"    line {number}" for number in range(85, 100)]
    assert "run the demo again" in lines[-2]


def test_the_rate_of_one_answer_is_unknown() -> None:
    assert per_second([5.0]) is None


@pytest.mark.parametrize("text", ["during", "after"])
def test_the_settings_file_holds_what_the_programs_need(tmp_path: Path, text: str) -> None:
    at = Folders(tmp_path)
    kafka = KafkaSettings(bootstrap_servers="127.0.0.1:4711", prefix="demo-1")

    read = tomllib.loads(
        config.during_the_run(kafka, at) if text == "during" else config.afterwards(at)
    )

    assert read["stream"]["model_store"] == read["offline"]["model_store"]
    where = {"during": "127.0.0.1:4711", "after": None}
    assert read.get("kafka", {}).get("bootstrap_servers") == where[text]
    assert ("broker" in read) == (text == "after")


def test_a_folder_is_emptied_and_kept_to_one_demo(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").touch()

    with folders.fresh(tmp_path) as ours:
        assert list(ours.run.iterdir()) == []
        with pytest.raises(InUse, match="another demo runs in"), folders.fresh(tmp_path):
            pass


def test_a_broker_that_still_works_on_the_last_run_keeps_its_data(tmp_path: Path) -> None:
    at = Folders(tmp_path)
    at.broker.mkdir(parents=True)
    with (at.broker / "broker.lock").open("w") as held:
        held.write("process 4711 at 127.0.0.1:9092")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(InUse, match="process 4711 at"), folders.fresh(tmp_path):
            pass

    assert (at.broker / "broker.lock").exists()


@pytest.mark.parametrize("plans", [plan.WHOLE, plan.QUICK], ids=["whole", "quick"])
def test_every_market_has_a_plan_in_time_order(plans: dict[str, plan.Plan]) -> None:
    root = Path(__file__).resolve().parents[3]
    for one in plans.values():
        assert one.split < one.middle < one.end
        assert all((root / file).exists() for file in one.files)
