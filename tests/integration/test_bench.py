"""Ours beside the same step in a loop by hand: told always, red only when half is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import load, quick
from bench.champion import Models
from bench.ground import Ground
from bench.load import Message
from demo.programs import Programs
from offline import announce
from stream_app.contract.models import Alias
from stream_app.contract.settings import KafkaSettings
from tests import champions
from tests.integration.brokers import plain_environment

pytestmark = [pytest.mark.broker, pytest.mark.slow]

_WINDOW_S = 2.0


@pytest.fixture
def ground(fresh_prefix: KafkaSettings, tmp_path: Path) -> Iterator[Ground]:
    """The broker of the tests; no cores are anybody's, as other tests run, too."""
    brokers = fresh_prefix.bootstrap_servers
    environment = plain_environment({"KAFKA_BOOTSTRAP_SERVERS": brokers})
    programs = Programs(tmp_path / "logs", environment, lambda: None)
    yield Ground(brokers, None, programs, (), ())
    programs.stop_all()


@pytest.fixture
def models(tmp_path: Path) -> Models:
    """A small champion, announced and promoted."""
    bundle, announced = champions.announced()
    store = tmp_path / "models"
    store.mkdir()
    (store / announced.address).write_bytes(bundle)
    (tmp_path / "signing.pub").write_text(champions.TRUSTED_KEY.hex())
    told = (
        announce.announcement_message(announced),
        announce.alias_message(load.MARKET, Alias.CHAMPION, announced.manifest.version, "a test"),
    )
    made = Models(tmp_path, [Message(one.key.encode(), one.value) for one in told])
    made.keep()
    return made


def test_ours_has_not_lost_half_of_its_speed(
    ground: Ground,
    models: Models,
    fresh_prefix: KafkaSettings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    messages = list(load.told(load.real_events(), 1))

    found = quick.side_by_side(ground, models, fresh_prefix.prefix, messages, _WINDOW_S)

    kept = quick.baseline()
    with capsys.disabled():
        print(f"\nours beside the loop by hand: {found}, kept: {kept}")
    assert quick.losses(found, kept) == []
