"""Settings come from the environment, or from the file it names."""

from pathlib import Path

import pytest

from monitoring import settings
from stream_app.contract.settings import BadSettings


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[monitoring]\nflush_rows = 10\nsample_seed = 5\n")
    monkeypatch.setenv("HOUSING_CONFIG", str(file))
    monkeypatch.setenv("HOUSING_MONITORING_FLUSH_ROWS", "20")

    _, own = settings.from_environment()

    assert (own.flush_rows, own.sample_seed) == (20, 5)


def test_a_file_that_is_named_and_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSING_CONFIG", "nowhere.toml")

    with pytest.raises(BadSettings, match=r"nowhere\.toml"):
        settings.from_environment()


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSING_MONITORING_FLUSH_ROWS", "0")
    monkeypatch.setenv("HOUSING_MONITORING_SESSION_TIMEOUT_S", "1")

    with pytest.raises(BadSettings, match=r"FLUSH_ROWS.*\n.*SESSION_TIMEOUT_S"):
        settings.from_environment()
