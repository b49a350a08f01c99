"""Hostile bytes through a real worker: every offset is accounted for, and nothing stalls.

The size that is promised: `python -m tests.chaos.fuzz --seed 1 --payloads 100000`.
"""

from pathlib import Path

import pytest

from stream_app.contract.settings import KafkaSettings
from tests.chaos.fuzz import fuzz

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def test_every_hostile_payload_is_accounted_for_once(kafka: KafkaSettings, tmp_path: Path) -> None:
    account = fuzz(kafka, tmp_path, seed=5, count=4_000)

    assert account.ok, account
    assert account.predictions > 0
    assert account.counted > 0
    assert len(account.rejects_by_code) >= 10
