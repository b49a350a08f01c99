"""Who is judged against whom, on which homes; and the models, opened as a scorer would.

Neither may have seen a home of the holdout. The challenger is its fit without the
holdout, which is kept with each version. The champion is the very model that serves,
unless it was trained on a part of the holdout; then it too is its fit without its holdout,
so that like is compared with like: two trainings on the same log differ in nothing else.
Where that was not kept, the holdout begins after the champion's training.
"""

from pathlib import Path
from typing import NamedTuple

from offline import keys
from offline.eda import day
from offline.faults import WrongInput
from offline.settings import OfflineSettings
from stream_app.contract.models import ChampionAnnounced
from stream_app.contract.rejects import ModelRefused
from stream_app.scoring.champion import Champion, load


class NotOpened(WrongInput):
    """A model that the gate has to serve is refused, or is not in the store."""


class Contest(NamedTuple):
    """Two models, and from when on homes were listed that neither has seen."""

    challenger: ChampionAnnounced
    champion: ChampionAnnounced | None  # None: there is none yet
    from_ms: int

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
) -> Contest:
    """Choose who stands for the champion, and where the holdout begins.

    `challenger` and `champion_judged` are fits without their holdouts; None: not kept.
    """
    from_ms = unseen_from_ms(challenger)
    if champion is None:
        return Contest(challenger, None, from_ms)
    if unseen_from_ms(champion) > from_ms and champion_judged is not None:
        champion = champion_judged
    return Contest(challenger, champion, max(from_ms, unseen_from_ms(champion)))


def unseen_from_ms(announced: ChampionAnnounced) -> int:
    """What is listed from here on was sold after the last sale that it was trained on."""
    return announced.manifest.trained_to_ms + 1


class Shelf:
    """Opens what lies in the model store."""

    def __init__(self, settings: OfflineSettings) -> None:
        self._store = Path(settings.model_store)
        key = keys.signing_key(Path(settings.signing_key_file))
        self._trusted_key = key.public_key().public_bytes_raw()

    def open(self, announced: ChampionAnnounced) -> Champion | str:
        """The model, after all checks of an activation; or why it is refused."""
        try:
            bundle = (self._store / announced.address).read_bytes()
            return load(bundle, announced, self._trusted_key)
        except (ModelRefused, OSError) as error:
            return str(error)

    def need(self, announced: ChampionAnnounced) -> Champion:
        """The model.

        Raises
        ------
        NotOpened : it is refused, or not there
        """
        found = self.open(announced)
        if isinstance(found, str):
            raise NotOpened(f"cannot be judged: {found}")
        return found
