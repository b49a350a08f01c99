"""Champions from files: what the store, the key and the child process say against them."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from stream_app.contract import wire
from stream_app.contract.rejects import (
    ModelNotOpened,
    ModelRefused,
    ModelUnavailable,
)
from stream_app.shell.model_check import Finding
from stream_app.shell.model_feed import (
    _opened,
    decoded,
    loader,
    opener,
    read_until_silent,
)
from stream_app.shell.settings import StreamSettings
from stream_app.stages.step import PriceModel
from tests import champions, messages


def test_an_address_outside_of_the_store_is_refused(tmp_path: Path) -> None:
    settings = StreamSettings(model_store=str(tmp_path))

    with pytest.raises(ModelRefused, match="not a bare file name"):
        loader(settings)(messages.champion(address="../secret.skops"))


def test_a_bundle_that_is_not_there_may_come_and_the_setting_is_named(tmp_path: Path) -> None:
    settings = StreamSettings(model_store=str(tmp_path))

    with pytest.raises(ModelUnavailable, match="HOUSING_STREAM_MODEL_STORE"):
        loader(settings)(messages.champion(address="gone.skops"))


@pytest.mark.parametrize(
    ("key", "kind"), [("", ModelUnavailable), ("not hex", ModelRefused)], ids=["no file", "no key"]
)
def test_without_a_trusted_key_no_champion_is_loaded(
    tmp_path: Path, key: str, kind: type[Exception]
) -> None:
    sound = champions.announced()
    (tmp_path / sound.announced.address).write_bytes(sound.bundle)
    settings = StreamSettings(
        model_store=str(tmp_path), trusted_key=key, trusted_key_file=str(tmp_path / "gone.pub")
    )

    with pytest.raises(kind, match="HOUSING_STREAM_TRUSTED_KEY"):
        loader(settings)(sound.announced)


def test_what_a_child_has_opened_is_opened_here(tmp_path: Path) -> None:
    sound = champions.announced()
    short = msgspec.structs.replace(sound.announced.manifest, version="c2", bundle_bytes=1)
    (tmp_path / sound.announced.address).write_bytes(sound.bundle)
    settings = StreamSettings(model_store=str(tmp_path), trusted_key=champions.TRUSTED_KEY.hex())

    refused, champion = opener(settings)([champions.sign(short), sound.announced])

    assert isinstance(refused, ModelRefused)
    assert "announced 1" in str(refused)
    assert not isinstance(champion, ModelNotOpened)
    assert champion.version == "c1"


def test_without_a_trusted_key_no_child_is_asked(tmp_path: Path) -> None:
    settings = StreamSettings(model_store=str(tmp_path), trusted_key_file=str(tmp_path / "gone"))

    (refused,) = opener(settings)([messages.champion()])

    assert "HOUSING_STREAM_TRUSTED_KEY" in str(refused)


def test_what_the_child_has_opened_and_is_gone_since_may_come_back(tmp_path: Path) -> None:
    sound = champions.announced()
    file = tmp_path / sound.announced.address
    file.write_bytes(sound.bundle)

    def load(_announced: object) -> PriceModel:
        file.unlink()
        return loader(StreamSettings(model_store=str(tmp_path)))(sound.announced)

    assert isinstance(_opened(load, sound.announced, Finding()), ModelUnavailable)


class Message(NamedTuple):
    at: int
    text: bytes | None
    fault: str | None = None

    def offset(self) -> int:
        return self.at

    def value(self) -> bytes | None:
        return self.text

    def error(self) -> str | None:
        return self.fault


class Client:
    """A consumer that hands out what it was given, then nothing more."""

    def __init__(self, *fetches: list[Message]) -> None:
        self._fetches = list(fetches)

    def consume(self, _count: int, timeout: float) -> list[Message]:
        return self._fetches.pop(0) if self._fetches else []


def test_a_client_that_fell_silent_is_followed_by_one_that_goes_on_behind_what_came() -> None:
    taken: list[list[bytes]] = []
    first, erased, end_mark = Message(7, b"a"), Message(9, None), Message(11, None, "end")
    client = Client([first], [erased, end_mark], [Message(12, b"b")])

    at = read_until_silent(client, 3, taken.append, silence_s=0.01)

    assert taken == [[b"a"], [b"b"]]
    assert at == 13


def test_a_client_that_hears_nothing_leaves_the_place_as_it_was() -> None:
    assert read_until_silent(Client(), 3, lambda _: None, silence_s=0.01) == 3


def test_a_record_that_is_no_model_message_is_told_and_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    champion, corrector = messages.champion(), messages.corrector()

    read = decoded([wire.encode(champion), b"?", None, b"\xff", wire.encode(corrector)])

    assert list(read) == [champion, corrector]
    assert [each.getMessage()[:38] for each in caplog.records] == [
        "a record of models is no model message"
    ] * 2
