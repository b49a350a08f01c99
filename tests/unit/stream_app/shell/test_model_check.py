"""A file that kills, stops or swells whoever opens it does so to a child."""

import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stream_app.contract import wire
from stream_app.contract.models import ChampionAnnounced
from stream_app.contract.rejects import ModelUnavailable
from stream_app.shell import model_check
from stream_app.shell.model_check import Finding, Limits, findings, read_bundle
from tests import champions
from tests.champions import TRUSTED_KEY

SOUND = champions.announced()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / SOUND.announced.address).write_bytes(SOUND.bundle)
    return tmp_path


def child(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


def packed(store: Path, schema: bytes) -> ChampionAnnounced:
    """Signed like any champion: a bundle whose one file unpacks to `schema`."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("schema.json", schema)
    data = kept.getvalue()
    hash_ = hashlib.sha256(data).hexdigest()
    announced = champions.announced(bundle_sha256=hash_, bundle_bytes=len(data)).announced
    (store / announced.address).write_bytes(data)
    return announced


def test_a_sound_model_may_be_opened(store: Path) -> None:
    assert findings([SOUND.announced], store, TRUSTED_KEY) == [Finding()]


def test_each_model_is_told_its_own_failure(store: Path) -> None:
    gone = champions.announced(bundle_sha256="00" * 32).announced
    another_key = bytes(31) + b"1"

    missing, sound = findings([gone, SOUND.announced], store, TRUSTED_KEY)
    (foreign,) = findings([SOUND.announced], store, another_key)

    assert "HOUSING_STREAM_MODEL_STORE" in str(missing.failure)
    assert sound == Finding()
    assert "signature" in str(foreign.failure)
    assert (missing.passing, foreign.passing) == (True, False)


def test_a_file_that_is_half_copied_may_be_whole_later(store: Path) -> None:
    (store / SOUND.announced.address).write_bytes(SOUND.bundle[:-1])

    with pytest.raises(ModelUnavailable, match="half copied"):
        read_bundle(store, SOUND.announced)


def test_a_file_that_swells_is_refused_and_the_next_one_opened(store: Path) -> None:
    bomb = packed(store, b" " * (600 * 2**20))

    swollen, sound = findings([bomb, SOUND.announced], store, TRUSTED_KEY)

    assert swollen == Finding("needs more than 512 MB to be opened")
    assert sound == Finding()


def test_who_takes_too_much_time_of_the_processor_is_stopped(store: Path) -> None:
    (told,) = findings([SOUND.announced], store, TRUSTED_KEY, Limits(cpu_s=1))

    assert told == Finding("not opened within 1 s of CPU time")


def test_who_does_not_come_back_is_stopped(store: Path) -> None:
    hangs = child("import time; time.sleep(600)")

    (told,) = findings([SOUND.announced], store, TRUSTED_KEY, Limits(within_s=0.5), hangs)

    assert told == Finding("not opened within 0.5 s", passing=True)


def test_time_is_allowed_for_each_model_anew(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or the last of six would have what the five before it left."""
    allowed: list[int] = []
    asked = io.BytesIO((wire.encode(SOUND.announced) + b"\n") * 2)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(asked))
    monkeypatch.setattr(model_check, "_limit", lambda _: None)
    monkeypatch.setattr(
        model_check, "_allow_time", lambda _: allowed.append(capsys.readouterr().out.count("\n"))
    )

    model_check.main([str(store), TRUSTED_KEY.hex(), *map(str, Limits())])

    assert allowed == [0, 0, 1]  # for the imports, the first, and once that was told, the second


def test_time_that_was_allowed_before_does_not_count() -> None:
    child_says = subprocess.run(
        child(
            "import resource, signal\n"
            "from stream_app.shell.model_check import Limits, _allow_time\n"
            "for limits in (Limits(within_s=30, cpu_s=40), Limits(within_s=300, cpu_s=400)):\n"
            "    _allow_time(limits)\n"
            "print(signal.getitimer(signal.ITIMER_REAL)[0] > 30,"
            " resource.getrlimit(resource.RLIMIT_CPU)[0] >= 400)"
        ),
        capture_output=True,
        check=True,
    )

    assert child_says.stdout == b"True True\n"


@pytest.mark.parametrize(
    ("signal_", "passing"),
    [("SIGSEGV", False), ("SIGABRT", False), ("SIGKILL", True), ("SIGTERM", True)],
)
def test_who_dies_is_named_by_the_signal_and_who_is_killed_may_be_asked_again(
    store: Path, signal_: str, passing: bool
) -> None:
    dies = child(f"import os, signal; os.kill(os.getpid(), signal.{signal_})")

    (told,) = findings([SOUND.announced], store, TRUSTED_KEY, command=dies)

    assert told == Finding(f"the process that opened it died of {signal_}", passing)


def test_its_own_alarm_is_no_fault_of_the_model(store: Path) -> None:
    rings = child("import os, signal; os.kill(os.getpid(), signal.SIGALRM)")

    assert findings([SOUND.announced], store, TRUSTED_KEY, command=rings) == [
        Finding("not opened within 60 s", passing=True)
    ]


def test_where_no_process_can_be_started_another_try_may(store: Path) -> None:
    (told,) = findings([SOUND.announced], store, TRUSTED_KEY, command=(str(store / "gone"),))

    assert told.passing
    assert "no process could be started" in str(told.failure)


def test_who_gives_up_is_quoted(store: Path) -> None:
    gives_up = child("raise RuntimeError('deep inside')")

    (told,) = findings([SOUND.announced], store, TRUSTED_KEY, command=gives_up)

    assert told == Finding("the process that opened it ended with 1: RuntimeError: deep inside")


@pytest.mark.parametrize("said", ["'hello'", "'\"cut o'", "'7'"])
def test_who_says_something_else_is_refused(store: Path, said: str) -> None:
    babbles = child(f"print({said})")

    (told,) = findings([SOUND.announced], store, TRUSTED_KEY, command=babbles)

    assert told == Finding("the process that opened it ended with 0: ")


def test_what_was_said_before_the_death_counts(store: Path) -> None:
    """The second of two models kills the child; nobody asks a third time."""
    dies_at_the_second = child(
        "import sys\n"
        "for number, line in enumerate(sys.stdin):\n"
        "    if number: raise SystemExit(9)\n"
        "    print('[null, false]', flush=True)"
    )

    told = findings([SOUND.announced] * 2, store, TRUSTED_KEY, command=dies_at_the_second)

    assert told == [Finding(), Finding("the process that opened it ended with 9: ")]
