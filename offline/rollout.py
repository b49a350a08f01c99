"""Who serves beside and after the champion: a challenger, and the way back.

Both commands go by what is announced on `housing.models`, tell the broker first and
MLflow after: a roll back must not wait for a registry, nor fail with it.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from offline.announce import (
    Change,
    Message,
    alias_message,
    announcement_message,
    rollout_message,
)
from offline.announced import Announced
from offline.faults import NotRegistered, WrongInput
from stream_app.contract.models import (
    DEFAULT_SHARES,
    Alias,
    ChampionAnnounced,
    RolloutMode,
    SegmentShift,
)


def roll_back(now: Announced, reason: str, leave: str | None = None) -> Change:
    """Let champion and previous change places.

    `leave`: only if this is the champion. If it was left before, nobody is told anything:
    whoever asks twice is where he wanted to be.

    Raises
    ------
    NotRegistered : there is no champion, or none before it
    WrongInput : another champion serves than the one to leave
    """
    champion = now.aliases.get(Alias.CHAMPION)
    if champion is None:
        raise NotRegistered(f"{now.market}: no champion is announced")
    previous = now.aliases.get(Alias.PREVIOUS)
    if previous is None or previous == champion:
        raise NotRegistered(f"{now.market}: there is no champion before {champion} to return to")
    if leave not in (None, champion):
        if leave != previous:
            raise WrongInput(f"{now.market}: {champion} serves, there is no {leave} to leave")
        return Change([], {Alias.CHAMPION: champion, Alias.PREVIOUS: previous})
    # The champion first: whoever gets only half of it has gone back, and a scorer lets go of
    # no model that it is about to need.
    changed: dict[str, str] = {Alias.CHAMPION: previous, Alias.PREVIOUS: champion}
    serving = now.serving
    undone = serving.expected_shift if serving and serving.replaces == previous else ()
    told = [
        alias_message(now.market, Alias.CHAMPION, previous, reason, champion, back(undone)),
        alias_message(now.market, Alias.PREVIOUS, champion, reason),
    ]
    # Announced anew, so that scorers try it even if they refused it before.
    return Change([announcement_message(known(now, previous)), *told], changed)


def back(told: Sequence[SegmentShift]) -> tuple[SegmentShift, ...]:
    """What leaving a champion undoes.

    >>> back((SegmentShift(segment="", homes=40, median_log=0.02),))
    (SegmentShift(segment='', homes=40, median_log=-0.02),)
    """
    return tuple(replace(shift, median_log=-shift.median_log) for shift in told)


def roll_out(
    now: Announced,
    mode: RolloutMode,
    share: float | None,
    challenger: ChampionAnnounced | None,
    reason: str,
) -> Change:
    """Say what the challenger is for; a challenger if one is given, else the one there is.

    Raises
    ------
    NotRegistered : there is no challenger
    WrongInput : the challenger is the champion, or a share that means nothing
    """
    dealt = mode in (RolloutMode.CANARY, RolloutMode.AB)
    if share is not None and not dealt:
        raise WrongInput(f"--share goes with canary and ab; {mode} gives the challenger no listing")
    told: list[Message] = []
    changed: dict[str, str] = {}
    if mode is not RolloutMode.OFF:
        challenger = challenger or _challenger(now)
        version = challenger.manifest.version
        if version == now.aliases.get(Alias.CHAMPION):
            raise WrongInput(f"{now.market}: {version} is the champion, and no challenger of it")
        changed = {Alias.CHALLENGER: version}
        told = [
            announcement_message(challenger),
            alias_message(now.market, Alias.CHALLENGER, version, reason),
        ]
    share = DEFAULT_SHARES[mode] if share is None else share
    return Change([*told, rollout_message(now.market, mode, share, reason)], changed)


def _challenger(now: Announced) -> ChampionAnnounced:
    version = now.aliases.get(Alias.CHALLENGER)
    if version is None:
        raise NotRegistered(f"{now.market}: there is no challenger; name one with --version")
    return known(now, version)


def known(now: Announced, version: str) -> ChampionAnnounced:
    """What was announced of the version.

    Raises
    ------
    NotRegistered : it never was
    """
    try:
        return now.champions[version]
    except KeyError:
        raise NotRegistered(f"{now.market}: version {version!r} was never announced") from None
