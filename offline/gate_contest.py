"""Who is judged against whom, on which homes.

Neither may have seen a home of the holdout. The challenger is its fit without the
holdout, which is kept with each version. The champion is the very model that serves,
unless it was trained on a part of the holdout; then it too is its fit without its holdout,
so that like is compared with like: two trainings on the same log differ in nothing else.
Where that was not kept, the holdout begins after the champion's training.

A sale counts as seen until it is known, so a model takes its place when all sales that it was
trained on are: labels that it was fitted to would teach a corrector that it makes no errors.
"""

from typing import NamedTuple

from offline.eda import day
from stream_app.contract.models import ChampionAnnounced


class Contest(NamedTuple):
    """Two models, and from when on they answer what they have not seen."""

    challenger: ChampionAnnounced
    champion: ChampionAnnounced | None  # None: there is none yet
    warm_ms: int  # when the champion begins to serve
    from_ms: int  # when the holdout begins

    def told(self, version: str, champion: str | None) -> str:
        """In words; the versions are those that were trained to the end."""
        if self.champion is None:
            against = "the naive price, for there is no champion yet"
        elif self.champion.manifest.version == champion:
            against = f"{champion}"
        else:
            against = f"{champion}, it too without its holdout"
        since = day(self.from_ms)
        return f"{version} without its holdout against {against}; homes listed from {since} on"


def contest(
    challenger: ChampionAnnounced,
    champion: ChampionAnnounced | None,
    champion_judged: ChampionAnnounced | None,
    delay_ms: int,
) -> Contest:
    """Choose who stands for the champion, and when each takes its place.

    `challenger` and `champion_judged` are fits without their holdouts; None: not kept.
    """
    from_ms = unseen_from_ms(challenger, delay_ms)
    if champion is None:
        return Contest(challenger, None, from_ms, from_ms)
    if unseen_from_ms(champion, delay_ms) > from_ms and champion_judged is not None:
        champion = champion_judged
    warm_ms = unseen_from_ms(champion, delay_ms)
    return Contest(challenger, champion, warm_ms, max(from_ms, warm_ms))


def unseen_from_ms(announced: ChampionAnnounced, delay_ms: int) -> int:
    """When all sales that it was trained on are known, each so long after it was made."""
    return announced.manifest.trained_to_ms + delay_ms + 1
