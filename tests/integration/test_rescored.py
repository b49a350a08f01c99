"""A batch rescore by the command equals the stream, and says so when it does not."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from stream_app.contract import wire
from stream_app.contract.predictions import Prediction
from stream_app.contract.settings import KafkaSettings
from tests import builders, champions
from tests.builders import MARKET
from tests.integration.test_explain import LISTINGS, add, newest_with_reasons, served
from tests.integration.workers import market

__all__ = ["served"]  # the log and its worker: the fixture of that module

pytestmark = pytest.mark.broker


@pytest.fixture
def offline(served: Mapping[str, str], tmp_path: Path) -> Mapping[str, str]:
    """What offline must be told to trust the champion that served."""
    key = tmp_path / "signing.key"
    key.write_text(champions.KEY.private_bytes_raw().hex())
    key.with_suffix(".pub").write_text(champions.TRUSTED_KEY.hex())
    return {
        **served,
        "HOUSING_OFFLINE_MODEL_STORE": str(tmp_path),
        "HOUSING_OFFLINE_SIGNING_KEY_FILE": str(key),
    }


def replayed(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "offline", "replay", "--market", MARKET, *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=120,
    )


def test_topic_and_file_give_what_was_served_and_a_forged_prediction_is_found(
    kafka: KafkaSettings, offline: Mapping[str, str], tmp_path: Path
) -> None:
    file, out = tmp_path / "events.jsonl", tmp_path / "out.jsonl"
    file.write_bytes(b"\n".join(map(builders.raw, market(LISTINGS))))

    for events in ("topic", str(file)):
        done = replayed(offline, "--events", events, "--out", str(out))

        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["equal"], told["different"], told["not_kept"]) == (LISTINGS, 0, 0)
        assert len(out.read_bytes().splitlines()) == LISTINGS

    said: Prediction = newest_with_reasons(kafka)
    add(kafka, msgspec.structs.replace(said, price=(said.price or 0.0) + 1.0))
    forged = replayed(offline, "--events", "topic")

    assert forged.returncode == 1
    assert f"1 of {LISTINGS} predictions are not as served, such as those of {said.listing_id}" in (
        forged.stderr
    )
    assert wire.encode(said) in out.read_bytes().splitlines()
