"""What serves follows from what was announced, in the order of the log."""

from pathlib import Path

import pytest

from stream_app.contract.models import ChampionAnnounced, CorrectorAnnounced
from stream_app.contract.rejects import ModelRefused
from stream_app.scoring.corrector import FEATURES
from stream_app.shell.model_feed import Shelf, loader
from stream_app.shell.settings import StreamSettings
from stream_app.stages.step import PriceModel
from tests import messages
from tests.builders import MARKET
from tests.fakes.champion import FakeChampion


def load(announced: ChampionAnnounced) -> PriceModel:
    """Refuses version "bad"."""
    if announced.manifest.version == "bad":
        raise ModelRefused("the hash differs")
    return FakeChampion(announced.manifest.version)


def champion(version: str) -> ChampionAnnounced:
    return messages.champion(manifest=messages.manifest(version=version))


def corrector(version: str, **changes: object) -> CorrectorAnnounced:
    numbers = (0.1,) * len(FEATURES)
    return messages.corrector(
        version=version,
        **{"feature_names": FEATURES, **dict.fromkeys(_NUMBERS, numbers), **changes},
    )


_NUMBERS = ("counts", "means", "variances", "weights")


def serving_version(shelf: Shelf) -> str | None:
    serves = shelf.serving()[MARKET].champion
    return None if serves is None else serves.version


def test_a_champion_serves_once_it_is_announced_and_named() -> None:
    shelf = Shelf(load)

    shelf.put([champion("v1"), champion("v2")])
    assert serving_version(shelf) is None
    shelf.put([messages.alias(version="v1")])

    assert serving_version(shelf) == "v1"


def test_the_alias_may_come_before_the_announcement() -> None:
    shelf = Shelf(load)

    shelf.put([messages.alias(version="v1")])
    shelf.put([champion("v1")])

    assert serving_version(shelf) == "v1"


def test_other_aliases_serve_nobody() -> None:
    shelf = Shelf(load)

    shelf.put([champion("v1"), messages.alias(alias="challenger", version="v1")])

    assert serving_version(shelf) is None


def test_only_the_last_of_many_is_loaded() -> None:
    loaded: list[str] = []

    def note(announced: ChampionAnnounced) -> PriceModel:
        loaded.append(announced.manifest.version)
        return load(announced)

    aliases = [messages.alias(version=version) for version in ("v1", "v2")]
    Shelf(note).put([champion("v1"), champion("v2"), *aliases])

    assert loaded == ["v2"]


def test_a_refused_champion_leaves_the_old_one(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(load)
    shelf.put([champion("v1"), messages.alias(version="v1")])

    shelf.put([champion("bad"), messages.alias(version="bad")])

    assert serving_version(shelf) == "v1"
    assert "the hash differs" in caplog.text


def test_the_newest_corrector_serves() -> None:
    shelf = Shelf(load)

    shelf.put([corrector("1"), corrector("2")])

    serves = shelf.serving()[MARKET].corrector
    assert serves is not None
    assert serves.version == "2"


def test_a_corrector_of_other_features_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(load)

    shelf.put([corrector("1"), corrector("2", feature_names=("home_log_area",))])

    serves = shelf.serving()[MARKET].corrector
    assert serves is not None
    assert serves.version == "1"
    assert "corrector refused" in caplog.text


def test_a_snapshot_does_not_change_under_a_batch() -> None:
    shelf = Shelf(load)
    shelf.put([corrector("1")])
    snapshot = shelf.serving()

    shelf.put([corrector("2")])

    assert snapshot is not shelf.serving()
    assert snapshot[MARKET].corrector == corrector("1")


def test_an_address_outside_of_the_store_is_refused(tmp_path: Path) -> None:
    settings = StreamSettings(model_store=str(tmp_path))

    with pytest.raises(ModelRefused, match="not a bare file name"):
        loader(settings)(messages.champion(address="../secret.skops"))


def test_a_bundle_that_is_not_there_is_refused_with_the_setting(tmp_path: Path) -> None:
    settings = StreamSettings(model_store=str(tmp_path))

    with pytest.raises(ModelRefused, match="HOUSING_STREAM_MODEL_STORE"):
        loader(settings)(messages.champion(address="gone.skops"))


@pytest.mark.parametrize("key", ["", "not hex"])
def test_without_a_trusted_key_no_champion_is_loaded(tmp_path: Path, key: str) -> None:
    (tmp_path / "there.skops").write_bytes(b"bundle")
    settings = StreamSettings(
        model_store=str(tmp_path), trusted_key=key, trusted_key_file=str(tmp_path / "gone.pub")
    )

    with pytest.raises(ModelRefused, match="HOUSING_STREAM_TRUSTED_KEY"):
        loader(settings)(messages.champion(address="there.skops"))
