"""Champions to swap between: tiny, but real trees in signed bundles, announced as any other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from offline import announce
from offline.announce import Change
from offline.announced import Announced
from offline.promote import promote
from stream_app.contract.models import Alias, ChampionAnnounced, GoldenRow, RolloutMode
from stream_app.contract.settings import KafkaSettings
from tests import champions
from tests.chaos.load import MARKETS

_VERSIONS = ("a", "b", "c")
_MODES = (RolloutMode.SHADOW, RolloutMode.CANARY, RolloutMode.OFF, RolloutMode.AB)
_SHARE = 0.3
_REASON = "a swap of the chaos run"


class Shop:
    """All versions of one market, and what was announced of them."""

    def __init__(self, market: str, versions: Mapping[str, ChampionAnnounced]) -> None:
        self.announced = Announced(market)
        self._versions = versions
        self._swaps = 0

    def announcement(self, version: str) -> ChampionAnnounced:
        return self._versions[version]

    def promoted(self, version: str) -> Change:
        """What tells that the version serves; noted as told."""
        change = promote(self.announced, self._versions[version], _REASON)
        self.announced.champions[version] = self._versions[version]
        self.announced.aliases |= change.aliases
        return change

    def next_version(self) -> str:
        """The one that comes after the one serving now."""
        versions = sorted(self._versions)
        serving = self.announced.aliases.get(Alias.CHAMPION)
        return versions[(versions.index(serving) + 1) % len(versions)] if serving else versions[0]

    def next_mode(self) -> RolloutMode:
        """What the challenger is for after this swap."""
        self._swaps += 1
        return _MODES[self._swaps % len(_MODES)]


def stock(store: Path) -> Mapping[str, Shop]:
    """Make the bundles, put them into the store of the workers."""
    store.mkdir(parents=True, exist_ok=True)
    models = [_regressor(number) for number in range(len(_VERSIONS))]
    return {market: Shop(market, _made(market, models, store)) for market in MARKETS}


def swap(kafka: KafkaSettings, shop: Shop, market: str) -> str:
    """Announce the next version as the market's champion, another as challenger; give the first."""
    version = shop.next_version()
    announce.publish(kafka, shop.promoted(version).messages)
    challenger = shop.next_version()
    announce.publish(
        kafka,
        [
            announce.announcement_message(shop.announcement(challenger)),
            announce.alias_message(market, Alias.CHALLENGER, challenger, _REASON),
            announce.rollout_message(market, shop.next_mode(), _SHARE, _REASON),
        ],
    )
    return version


def _made(
    market: str, models: Sequence[HistGradientBoostingRegressor], store: Path
) -> dict[str, ChampionAnnounced]:
    made = {}
    for letter, model in zip(_VERSIONS, models, strict=True):
        version = f"{market}-{letter}"
        bundle, announced = champions.announced(
            model, market=market, version=version, golden_rows=_golden_rows(model)
        )
        (store / announced.address).write_bytes(bundle)
        made[version] = announced
    return made


def _regressor(number: int) -> HistGradientBoostingRegressor:
    """Prices a little apart from those of the other versions, so that a mix-up shows."""
    known = champions.encode(champions.rows(400))
    log_price = 12 + number / 20 + np.nan_to_num(known[:, 0]) / (10 + number)
    with threadpool_limits(limits=1, user_api="openmp"):
        return HistGradientBoostingRegressor(
            max_iter=10, max_leaf_nodes=7, early_stopping=False, random_state=number
        ).fit(known, log_price)


def _golden_rows(model: HistGradientBoostingRegressor) -> tuple[GoldenRow, ...]:
    rows = champions.rows()
    with threadpool_limits(limits=1, user_api="openmp"):
        said = model.predict(champions.encode(rows)).tolist()
    return tuple(
        GoldenRow(tuple(None if np.isnan(v) else v for v in row), log_price)
        for row, log_price in zip(rows.tolist(), said, strict=True)
    )
