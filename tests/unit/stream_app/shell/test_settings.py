"""Settings come from the environment and one file, and every mistake is told."""

from pathlib import Path

import pytest

from stream_app.contract.models import Policy
from stream_app.contract.settings import BadSettings
from stream_app.shell.settings import from_environment


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a housing.toml, an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "HOUSING_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_without_any_setting_there_are_defaults() -> None:
    kafka, stream = from_environment()

    assert (kafka.prefix, stream.batch_max, stream.chaos) == ("housing", 500, "")


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("housing.toml").write_text("[stream]\nbatch_max = 7\nmodel_store = 'm'\n")
    monkeypatch.setenv("HOUSING_STREAM_BATCH_MAX", "8")

    stream = from_environment()[1]

    assert (stream.batch_max, stream.model_store) == (8, "m")


def test_a_file_that_was_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSING_CONFIG", "gone.toml")

    with pytest.raises(BadSettings, match=r"gone\.toml"):
        from_environment()


def test_a_session_shorter_than_the_broker_allows_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOUSING_STREAM_SESSION_TIMEOUT_S", "1")

    with pytest.raises(BadSettings, match="HOUSING_STREAM_SESSION_TIMEOUT_S: '1'"):
        from_environment()


def test_what_is_computed_by_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSING_STREAM_SALE_LATE_H", "12")

    policy = from_environment()[1].policy()

    assert policy == Policy(sale_late_h=12)


def test_a_lateness_beyond_what_a_ring_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSING_STREAM_LISTING_LATE_H", "169")

    with pytest.raises(BadSettings, match=r"HOUSING_STREAM_LISTING_LATE_H: '169'.*<= 168"):
        from_environment()
