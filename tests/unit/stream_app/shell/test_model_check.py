"""A file that kills, stops or swells whoever opens it does so to a child."""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pytest

from stream_app.contract.models import ChampionAnnounced
from stream_app.shell.model_check import Limits, failures
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
    assert failures([SOUND.announced], store, TRUSTED_KEY) == [None]


def test_each_model_is_told_its_own_failure(store: Path) -> None:
    gone = champions.announced(bundle_sha256="00" * 32).announced
    another_key = bytes(31) + b"1"

    told = failures([gone, SOUND.announced], store, TRUSTED_KEY)
    assert "HOUSING_STREAM_MODEL_STORE" in str(told[0])
    assert told[1] is None
    assert "signature" in str(failures([SOUND.announced], store, another_key)[0])


def test_a_file_that_swells_is_refused_and_the_next_one_opened(store: Path) -> None:
    bomb = packed(store, b" " * (600 * 2**20))

    told = failures([bomb, SOUND.announced], store, TRUSTED_KEY)

    assert "needs more than 512 MB" in str(told[0])
    assert told[1] is None


def test_who_takes_too_much_time_of_the_processor_is_stopped(store: Path) -> None:
    (told,) = failures([SOUND.announced], store, TRUSTED_KEY, Limits(cpu_s=1))

    assert told == "not opened within 1 s of CPU time"


def test_who_does_not_come_back_is_stopped(store: Path) -> None:
    hangs = child("import time; time.sleep(600)")

    (told,) = failures([SOUND.announced], store, TRUSTED_KEY, Limits(within_s=0.5), hangs)

    assert told == "not opened within 0.5 s"


def test_who_dies_is_named_by_the_signal(store: Path) -> None:
    dies = child("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")

    (told,) = failures([SOUND.announced], store, TRUSTED_KEY, command=dies)

    assert told == "the process that opened it died of SIGSEGV"


def test_who_gives_up_is_quoted(store: Path) -> None:
    gives_up = child("raise RuntimeError('deep inside')")

    (told,) = failures([SOUND.announced], store, TRUSTED_KEY, command=gives_up)

    assert told == "the process that opened it ended with 1: RuntimeError: deep inside"


@pytest.mark.parametrize("said", ["'hello'", "'\"cut o'", "'7'"])
def test_who_says_something_else_is_refused(store: Path, said: str) -> None:
    babbles = child(f"print({said})")

    (told,) = failures([SOUND.announced], store, TRUSTED_KEY, command=babbles)

    assert told == "the process that opened it ended with 0: "


def test_what_was_said_before_the_death_counts(store: Path) -> None:
    """The second of two models kills the child; nobody asks a third time."""
    dies_at_the_second = child(
        "import sys\n"
        "for number, line in enumerate(sys.stdin):\n"
        "    if number: raise SystemExit(9)\n"
        "    print('null', flush=True)"
    )

    told = failures([SOUND.announced] * 2, store, TRUSTED_KEY, command=dies_at_the_second)

    assert told == [None, "the process that opened it ended with 9: "]
