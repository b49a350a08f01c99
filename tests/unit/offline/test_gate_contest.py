"""Neither model has seen a home of the holdout, and like is compared with like."""

from offline.gate_contest import contest
from stream_app.contract.models import ChampionAnnounced
from tests import messages

JUDGED_TO_MS = 1_000  # the newest sale that the challenger's fit without its holdout has seen


def trained(version: str, to_ms: int) -> ChampionAnnounced:
    return messages.champion(manifest=messages.manifest(version=version, trained_to_ms=to_ms))


CHALLENGER = trained("c2-judged", JUDGED_TO_MS)


def test_a_champion_that_has_not_seen_the_holdout_is_judged_as_it_serves() -> None:
    old = trained("c1", 500)

    found = contest(CHALLENGER, old, trained("c1-judged", 300), 0)

    assert (found.champion, found.from_ms) == (old, JUDGED_TO_MS + 1)
    assert found.told("c2", "c1").startswith("c2 without its holdout against c1; ")


def test_a_champion_that_has_seen_the_holdout_is_judged_without_its_own() -> None:
    judged = trained("c1-judged", 700)

    found = contest(CHALLENGER, trained("c1", 1_200), judged, 0)

    assert (found.champion, found.from_ms) == (judged, JUDGED_TO_MS + 1)
    assert "against c1, it too without its holdout" in found.told("c2", "c1")


def test_the_holdout_begins_when_both_have_seen_their_last_sale() -> None:
    newer = contest(CHALLENGER, trained("c1", 2_000), trained("c1-judged", 1_500), 0)
    not_kept = contest(CHALLENGER, trained("c1", 2_000), None, 0)

    assert newer.from_ms == 1_501
    assert not_kept.from_ms == 2_001


def test_a_model_takes_its_place_when_all_it_was_trained_on_is_known() -> None:
    found = contest(CHALLENGER, trained("c1", 500), None, delay_ms=30)

    assert (found.warm_ms, found.from_ms) == (531, JUDGED_TO_MS + 31)


def test_without_a_champion_there_is_only_the_challenger() -> None:
    found = contest(CHALLENGER, None, None, 0)

    assert (found.champion, found.from_ms) == (None, JUDGED_TO_MS + 1)
    assert "there is no champion yet" in found.told("c2", None)
