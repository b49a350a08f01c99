"""A version is registered once, signed, and found again by name and alias."""

import hashlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from offline import reference
from offline.faults import NotRegistered
from offline.promote import PASSED, Standing
from offline.registry import PaperSpoilt, Registry, Tag
from offline.settings import OfflineSettings
from offline.train import Candidate, train
from stream_app.contract.models import Alias, ChampionAnnounced
from stream_app.core.features import NAMES
from stream_app.scoring import champion
from tests import sales

# What MLflow 3.17 does with SQLAlchemy 2.1 is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


@dataclass
class Home:
    """One registry with its folders, and what was registered first."""

    settings: OfflineSettings
    versions: Registry
    candidate: Candidate
    announced: ChampionAnnounced

    @property
    def store(self) -> Path:
        return Path(self.settings.model_store)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, empty_mlflow: Path) -> Home:
    folder = tmp_path_factory.mktemp("offline")
    shutil.copy(empty_mlflow, folder / "mlflow.db")
    settings = OfflineSettings(
        model_store=str(folder / "models"),
        signing_key_file=str(folder / "keys" / "signing.key"),
        mlflow_tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
        mlflow_artifacts=str(folder / "artifacts"),
    )
    versions = Registry(settings, sales.MARKET)
    candidate = train(sales.rows(), seed=0, made_ms=1)
    return Home(settings, versions, candidate, versions.register(candidate, sales.rows()))


def test_what_is_registered_opens_with_the_public_key(home: Home) -> None:
    key = bytes.fromhex(Path(home.settings.signing_key_file).with_suffix(".pub").read_text())
    bundle = (home.store / home.announced.address).read_bytes()

    loaded = champion.load(bundle, home.announced, key)

    assert loaded.version == home.candidate.champion.version


def test_the_fit_without_the_holdout_opens_too_and_says_what_was_judged(home: Home) -> None:
    judged = home.versions.judged(home.announced.manifest.version)
    key = bytes.fromhex(Path(home.settings.signing_key_file).with_suffix(".pub").read_text())

    loaded = champion.load((home.store / judged.address).read_bytes(), judged, key)

    said = loaded.predict_log(home.candidate.holdout.rows)
    np.testing.assert_array_equal(said, home.candidate.holdout_log)
    assert judged.manifest.training_rows == len(home.candidate.older)
    of_holdout = home.announced.manifest.holdout_abs_log_errors
    assert judged.manifest.holdout_abs_log_errors
    assert not set(judged.manifest.holdout_abs_log_errors) & set(of_holdout)


def test_a_paper_that_was_not_kept_is_none(home: Home) -> None:
    assert home.versions.paper(home.announced.manifest.version, "verdict.json") is None


def test_a_paper_that_is_no_text_is_named_as_changed(home: Home) -> None:
    version = home.announced.manifest.version
    home.versions.attach(version, {"note.json": "1"})
    (note,) = Path(home.settings.mlflow_artifacts).rglob("note.json")
    note.write_bytes(b"\xff")

    with pytest.raises(PaperSpoilt, match=r"note.json was changed"):
        home.versions.paper(version, "note.json")


def test_a_registry_that_was_moved_has_its_papers_and_keeps_new_ones_beside_them(
    home: Home, tmp_path: Path
) -> None:
    version, folder = home.announced.manifest.version, home.store.parent
    shutil.copytree(folder, tmp_path / "moved")
    moved_to = {
        name: str(value).replace(str(folder), str(tmp_path / "moved"))
        for name, value in msgspec.structs.asdict(home.settings).items()
        if isinstance(value, str)
    }
    moved = Registry(msgspec.structs.replace(home.settings, **moved_to), sales.MARKET)

    moved.attach(version, {"moved.json": "1"})

    assert moved.genuine(version) == home.announced
    assert moved.paper(version, "moved.json") == "1"
    assert home.versions.paper(version, "moved.json") is None


def test_the_newest_version_is_the_challenger(home: Home) -> None:
    assert home.versions.alias(Alias.CHALLENGER) == home.announced.manifest.version
    assert home.versions.alias(Alias.PREVIOUS) is None


def test_a_version_is_read_as_it_was_signed(home: Home) -> None:
    assert home.versions.announcement(home.announced.manifest.version) == home.announced


def test_the_same_training_is_the_same_version(home: Home) -> None:
    again = train(sales.rows(), seed=0, made_ms=2)

    assert home.versions.register(again, sales.rows()) == home.announced


def test_an_emptied_store_is_filled_again(home: Home) -> None:
    bundle = home.store / home.announced.address
    bundle.unlink()

    home.versions.register(home.candidate, sales.rows())

    assert bundle.exists()


def test_what_the_gate_said_is_kept_for_the_champion_it_judged_against(home: Home) -> None:
    version = home.announced.manifest.version
    assert home.versions.gate_of(version, "c1") is None

    home.versions.keep_verdict(version, PASSED, "c1", "{}")

    assert home.versions.gate_of(version, "c1") == PASSED
    assert home.versions.gate_of(version, "c2") == "judged against c1, c2 serves now: judge anew"
    assert home.versions.paper(version, "gate.json") == "{}"


def test_a_gate_that_was_not_passed_says_why(home: Home) -> None:
    version = home.announced.manifest.version

    home.versions.keep_verdict(version, "gain: none", None, "{}")

    assert home.versions.gate_of(version, None) == "gain: none"


def test_a_version_that_is_not_there_is_named(home: Home) -> None:
    with pytest.raises(NotRegistered, match="housing-king-county has no version 'c404'"):
        home.versions.announcement("c404")


def test_the_drift_reference_lies_beside_the_bundle(home: Home) -> None:
    found = home.announced.manifest.reference_sha256
    data = (home.store / f"{found}.parquet").read_bytes()

    table = pq.read_table(io.BytesIO(data))

    assert hashlib.sha256(data).hexdigest() == found
    assert table.column_names[: len(NAMES)] == list(NAMES)
    assert table.num_rows == len(sales.rows())
    prices = table.filter(pq.filters_to_expression([("part", "=", "holdout")])).column("price")
    assert prices.null_count == 0
    assert len(prices) == len(home.candidate.holdout)


def test_a_large_data_set_is_thinned_evenly(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr(reference, "ROWS_MAX", 100)

    data = reference.sample(sales.rows(), home.candidate.holdout, home.candidate.holdout_log)

    assert pq.read_table(io.BytesIO(data)).num_rows == 100


def test_a_held_version_stays_held_until_somebody_reviewed_it(home: Home) -> None:
    version = home.announced.manifest.version
    assert home.versions.standing(version) == Standing(version)

    home.versions.register(home.candidate, sales.rows(), "too good", {"audit.json": "[]"})
    assert home.versions.standing(version).held == "too good"

    home.versions.mark(version, Tag.REVIEWED, "looked")
    assert home.versions.standing(version).held is None
