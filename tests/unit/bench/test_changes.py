"""A swap's blip, and the gaps of a rebalance: what is looked at, and what is left out."""

from pathlib import Path

import pytest

from bench import rebalance, swap
from bench.champion import Models
from bench.load import Message
from bench.measure import Failed
from bench.pacing import Place
from bench.reader import Visible
from offline import announce
from stream_app.contract import wire
from stream_app.contract.models import AliasSet, ChampionAnnounced
from stream_app.contract.topics import DEFAULT_PARTITIONS
from stream_app.scoring import champion
from tests import champions


def visible(number: int, received_ms: float, version: str = "old", partition: int = 0) -> Visible:
    return Visible(Place(partition, number), version, 1.0, received_ms)


APPENDED_MS = {Place(0, 1): 1_000, Place(0, 2): 5_000, Place(0, 3): 5_900, Place(0, 4): 9_000}
SEEN = [
    visible(1, 1_020),
    visible(2, 5_090),  # waited 90 ms, the swap is near
    visible(3, 5_950, "new"),
    visible(4, 9_500, "new"),  # waited 500 ms, the swap is over for long
]


def test_a_blip_is_the_longest_wait_around_the_swap_less_the_p99_before_the_announcement() -> None:
    found = swap.blip(APPENDED_MS, SEEN, announced_ms=5_000.0, version="new")

    assert found["swap_longest_wait_ms"] == 90.0
    assert found["swap_blip_ms"] == pytest.approx(70.0)
    assert found["swap_announced_to_served_s"] == pytest.approx(0.95)


def test_a_version_that_never_serves_is_a_failure_in_words() -> None:
    with pytest.raises(Failed, match="champion newer did not serve"):
        swap.blip(APPENDED_MS, SEEN, announced_ms=5_000.0, version="newer")


def test_the_champion_told_again_is_another_version_that_a_worker_accepts(tmp_path: Path) -> None:
    bundle, announced = champions.announced()
    (tmp_path / "signing.key").write_text(champions.KEY.private_bytes_raw().hex())
    first = announce.announcement_message(announced)
    models = Models(tmp_path, [Message(first.key.encode(), first.value)])

    version, records = swap.announced_again(models)

    again, alias = (wire.decode_model_message(record.value) for record in records)
    assert isinstance(again, ChampionAnnounced)
    assert isinstance(alias, AliasSet)
    assert alias.version == version != announced.manifest.version
    assert champion.load(bundle, again, champions.TRUSTED_KEY).version == version


def everywhere(*times_ms: float) -> list[Visible]:
    places = range(DEFAULT_PARTITIONS)
    return [visible(0, at_ms, partition=place) for at_ms in times_ms for place in places]


def test_a_gap_of_one_partition_is_a_gap_though_the_others_go_on() -> None:
    steady = everywhere(1_000, 2_000, 3_000, 4_000)
    silent = [one for one in steady if one.cause.partition or one.received_ms == 1_000]

    assert rebalance.longest_gap_s(steady, 0.5, 4.5) == 1.0
    assert rebalance.longest_gap_s(silent, 0.5, 4.5) == 3.5


def test_what_was_seen_before_and_after_ends_no_gap() -> None:
    assert rebalance.longest_gap_s(everywhere(100, 900, 5_000), 0.5, 4.5) == pytest.approx(3.6)
