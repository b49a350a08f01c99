"""`python -m monitoring report` over small archives: figures, files, index, words."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from monitoring import __main__ as command
from monitoring import drift_job, frames, index, report_command
from monitoring.asked import Asked, Kind
from monitoring.settings import MonitoringSettings
from monitoring.summary import Summary
from monitoring.windows import Window, Windows
from stream_app.contract.topics import PREDICTIONS
from tests import flow
from tests.unit.monitoring import archives

DEFAULT = Windows(None, None)
# 300 homes listed from day 0 on and sold until day 50, 300 from day 60 on until day 110.
LATER_MS = flow.START_MS + 60 * flow.DAY_MS
BEFORE = Window(flow.START_MS, LATER_MS)
AFTER = Window(LATER_MS, LATER_MS + 60 * flow.DAY_MS)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 quiet homes, then 300 after a price shock, without bedrooms."""
    root = tmp_path_factory.mktemp("archive")
    archives.put_champion(root, flow.manifest(trained_to_ms=flow.START_MS))
    archives.put_pairs(root, flow.pairs(300))
    shocked = flow.pairs(
        300, seed=2, first=300, start_ms=LATER_MS, shock_log=0.2, bedrooms_known=False
    )
    archives.put_pairs(root, shocked)
    return root


def asked(archive: Path, out: Path, windows: Windows = DEFAULT, market: str = flow.MARKET) -> Asked:
    kinds = (Kind.DRIFT, Kind.QUALITY)
    return Asked(market, windows, archive, out, archives.PREFIX, kinds)


@pytest.fixture(scope="module")
def made(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Summary, Path]:
    out = tmp_path_factory.mktemp("out")
    return report_command.make(asked(archive, out, Windows(BEFORE, AFTER)), MonitoringSettings())


def test_the_summary_holds_both_windows_and_what_was_found(made: tuple[Summary, Path]) -> None:
    summary, _ = made

    assert summary.drift is not None
    assert summary.quality is not None
    assert (summary.market, summary.currency, summary.champion) == ("king-county", "USD", "v1")
    assert (summary.drift.reference.rows, summary.drift.current.rows) == (300, 300)
    assert set(summary.quality.current_errors) == {"naive", "champion", "answer"}
    assert summary.quality.current_errors["answer"].bias_log == pytest.approx(-0.2, abs=0.03)
    assert any(f.startswith("home_bedrooms: unknown in 100.0%") for f in summary.findings)
    assert any("mean |log error| of the answers rose" in f for f in summary.findings)


def test_reports_are_written_as_pages_and_as_json(made: tuple[Summary, Path]) -> None:
    summary, run = made

    pages = ("drift.html", "drift.json", "quality.html", "quality.json")
    assert summary.files == (*pages, "drift.csv", "errors.csv")
    assert all((run / name).stat().st_size > 1_000 for name in pages)
    assert msgspec.json.decode((run / "summary.json").read_bytes(), type=Summary) == summary


def test_the_index_lists_every_run_with_links_that_lead_somewhere(
    made: tuple[Summary, Path],
) -> None:
    _, run = made

    page = (run.parent / "index.html").read_text()

    assert f'href="{run.name}/drift.html"' in page
    assert "home_bedrooms: unknown in 100.0% of rows" in page


def test_served_prices_are_compared_beside_the_features(made: tuple[Summary, Path]) -> None:
    assert made[0].drift is not None
    columns = [column.column for column in made[0].drift.columns]

    assert columns == [*flow.FEATURE_NAMES, drift_job.ANSWER_LOG]


def test_by_default_features_are_held_against_the_training_rows(
    archive: Path, tmp_path: Path
) -> None:
    place = frames.Market(archive, archives.PREFIX, flow.MARKET)
    rows = frames.sampled(place, PREDICTIONS, BEFORE, frames.Size(1_000, seed=1)).frame
    plain = tmp_path / "plain"
    frames.features(rows, flow.manifest()).to_parquet(plain)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    plain.rename(tmp_path / f"{digest}.parquet")
    root = tmp_path / "archive"
    archives.put_champion(root, flow.manifest(reference_sha256=digest))
    archives.put_pairs(root, flow.pairs(300, seed=2))

    settings = MonitoringSettings(model_store=str(tmp_path))
    summary, _ = report_command.make(asked(root, tmp_path / "out"), settings)

    assert summary.drift is not None
    assert summary.drift.reference.what == f"{digest}.parquet"
    assert summary.drift.drifted == ()


def test_without_a_champion_prices_are_judged_and_features_told(tmp_path: Path) -> None:
    archives.put_pairs(tmp_path / "a", flow.pairs(200))

    summary, _ = report_command.make(asked(tmp_path / "a", tmp_path), MonitoringSettings())

    assert drift_job.UNNAMED in summary.findings
    assert summary.files == ("quality.html", "quality.json", "errors.csv")


def test_an_archive_without_rows_makes_a_summary_with_words(archive: Path, tmp_path: Path) -> None:
    nobody = asked(archive, tmp_path, market="hdb")

    summary, run = report_command.make(nobody, MonitoringSettings())

    assert summary.files == ()
    assert summary.quality is not None
    assert summary.quality.current_errors == {}
    assert "the archive holds no prediction of hdb in housing.predictions" in summary.findings[0]
    assert "hdb, no sales" in (run.parent / "index.html").read_text()


def run_main(archive: Path, *options: str) -> int:
    return command.main(["report", "--market", "hdb", "--dir", str(archive), *options])


def test_the_command_prints_tables_or_json(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(archive, "--out", str(tmp_path)) == 0
    assert "hdb: prices against sales" in capsys.readouterr().out
    assert run_main(archive, "--out", str(tmp_path), "--json") == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=Summary).market == "hdb"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--reference", "2014-01-01..2014-02-01"), "needs --current"),
        (("--reference", "x", "--current", "y"), "two days are wanted"),
        (("--dir", "nowhere"), "no archive in nowhere"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(
    options: tuple[str, ...], words: str, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(archive, *options) == 2

    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_wrong_settings_are_exit_2(
    archive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOUSING_MONITORING_SAMPLE_ROWS", "many")

    assert run_main(archive) == 2
    assert "HOUSING_MONITORING_SAMPLE_ROWS: 'many'" in capsys.readouterr().err


def test_the_index_shows_foreign_words_as_words(tmp_path: Path, made: tuple[Summary, Path]) -> None:
    evil = msgspec.structs.replace(made[0], findings=("<script>alert(1)</script>",))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / index.SUMMARY).write_bytes(msgspec.json.encode(evil))

    page = index.write(tmp_path).read_text()

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_index_leaves_out_what_another_version_wrote(
    tmp_path: Path, made: tuple[Summary, Path]
) -> None:
    for name, content in (("new", msgspec.json.encode(made[0])), ("old", b'{"market": "hdb"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / index.SUMMARY).write_bytes(content)

    page = index.write(tmp_path).read_text()

    assert page.count("<article>") == 1
