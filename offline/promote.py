"""Who may become champion, and who is told of it then. Only decides.

Goes by what `housing.models` says of the champion before, as a roll back does: MLflow's
aliases follow, and may have been left behind.
"""

from msgspec import Struct

from offline.announce import (
    Change,
    alias_message,
    announcement_message,
    rollout_message,
)
from offline.announced import Announced
from offline.faults import Refused
from stream_app.contract.models import Alias, ChampionAnnounced, RolloutMode, SegmentShift

PASSED = "passed"


class NotAllowed(Refused):
    """The version is held, did not pass its gate, or is retired."""


class Standing(Struct, frozen=True):
    """What the registry has noted of a version."""

    version: str
    held: str | None = None  # why the audit holds it; None also after a review
    retired: str | None = None  # why


def refuse(standing: Standing, *, reviewed: bool = False) -> None:
    """Raise if no listing may see the version.

    Raises
    ------
    NotAllowed : it is retired, or held and not reviewed
    """
    if standing.retired is not None:
        raise NotAllowed(f"{standing.version} is retired: {standing.retired}")
    if standing.held is not None and not reviewed:
        raise NotAllowed(
            f"{standing.version} is held: {standing.held}; "
            "look, then say why it may serve: promote --reviewed REASON"
        )


def refuse_ungated(version: str, gate: str | None) -> None:
    """Raise if the gate said anything but `PASSED` of the version; None: it was not asked.

    Raises
    ------
    NotAllowed : says what the gate said
    """
    if gate == PASSED:
        return
    if gate is None:
        judged = "never judged it: run `python -m offline gate`; or, for a trial,"
    else:
        judged = f"did not pass it: {gate}; for a trial,"
    raise NotAllowed(f"{version}: the gate {judged} say why it may serve: --without-gate REASON")


def promote(
    now: Announced,
    announced: ChampionAnnounced,
    reason: str,
    expected_shift: tuple[SegmentShift, ...] = (),
) -> Change:
    """Let a version serve, and the champion before it be the way back.

    The same champion again is announced anew and changes nothing: scorers that refused it
    try again, and the way back stays what it was.
    """
    manifest = announced.manifest
    market, version = manifest.market, manifest.version
    before = now.aliases.get(Alias.CHAMPION)
    previous = now.aliases.get(Alias.PREVIOUS) if before == version else before
    changed: dict[str, str] = {}
    told = [announcement_message(announced)]
    if previous in now.champions:
        told = [announcement_message(now.champions[previous]), *told]
        told.append(alias_message(market, Alias.PREVIOUS, previous, reason))
        changed = {Alias.PREVIOUS: previous}
    # The version before its alias, so that nobody is told to serve what he does not know.
    back = changed.get(Alias.PREVIOUS)
    told.append(alias_message(market, Alias.CHAMPION, version, reason, back, expected_shift))
    changed |= {Alias.CHAMPION: version}
    if before != version:
        # Whoever was tried out beside the old champion is not tried out beside the new one.
        told.append(rollout_message(market, RolloutMode.OFF, 0.0, reason))
    return Change(told, changed)
