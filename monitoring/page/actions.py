"""What a button writes: one message, made of what is known and what a person typed. Pure.

Whether it still makes sense is judged again when it is pressed: a candidate that no longer waits,
an alert that is over, a champion that serves no more are refused, with what is so instead.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from monitoring.page.known import Known
from stream_app.contract.alerts import (
    AlertAcknowledged,
    AlertSnoozed,
    AnyAlertMessage,
    ApprovalGiven,
    RequestStatus,
    RetrainRequested,
    RollbackRequested,
)
from stream_app.contract.archive import ALL_MARKETS
from stream_app.contract.models import Alias, AliasSet
from stream_app.contract.spans import HOUR_MS

NAME_CHARS_MAX = 100
REASON_CHARS_MAX = 500
SNOOZE_H = ("1", "4", "24", "72", "168")


class BadForm(ValueError):
    """What was typed, or asked for, cannot be; the text says what to mend."""


class Pressed(NamedTuple):
    """What came with the form. `subject` is a request, an alert or a version."""

    market: str
    subject: str
    by: str
    reason: str
    hours: str
    now_ms: int
    token: str  # makes an id unique


class Action(NamedTuple):
    title: str
    what: str  # follows, in words
    wants_reason: bool
    wants_hours: bool
    make: Callable[[Known, Pressed], AnyAlertMessage]


def pressed(market: str, form: Mapping[str, str], now_ms: int, token: str) -> Pressed:
    """Read the form.

    Raises
    ------
    BadForm : no name, or too long a text
    """
    by = _one_line("your name", form.get("by", ""), NAME_CHARS_MAX)
    if not by:
        raise BadForm("your name is wanted: the audit trail says who did it")
    reason = _one_line("the reason", form.get("reason", ""), REASON_CHARS_MAX)
    return Pressed(
        market, form.get("subject", ""), by, reason, form.get("hours", ""), now_ms, token
    )


def message(kind: str, known: Known, form: Pressed) -> AnyAlertMessage:
    """What is to be written.

    Raises
    ------
    BadForm : it makes no sense now, or the reason is missing
    """
    action = ACTIONS[kind]
    if action.wants_reason and not form.reason:
        raise BadForm("a reason is wanted: it stands in the audit trail")
    return action.make(known, form)


def champion(known: Known, market: str) -> str | None:
    """The version that the champion's alias names; None: none was ever named."""
    version = None
    for _, word in known.models:
        if isinstance(word, AliasSet) and (word.market, word.alias) == (market, Alias.CHAMPION):
            version = word.version
    return version


def _approve(known: Known, form: Pressed) -> ApprovalGiven:
    return _word(known, form, approved=True)


def _hold(known: Known, form: Pressed) -> ApprovalGiven:
    return _word(known, form, approved=False)


def _word(known: Known, form: Pressed, *, approved: bool) -> ApprovalGiven:
    asked = known.requests.get(form.subject)
    if asked is None or asked.request.market != form.market:
        raise BadForm(f"nobody has asked for {form.subject[:40]!r} in this market")
    if asked.status is not RequestStatus.WAITING:
        raise BadForm(
            f"{form.subject} does not wait for approval: it is {asked.status or 'not read'}"
        )
    if asked.approval is not None:
        raise BadForm(f"{asked.approval.approved_by} has given a word on it already")
    return ApprovalGiven(
        request_id=form.subject,
        market=form.market,
        approved_ms=form.now_ms,
        approved_by=form.by,
        approved=approved,
        reason=form.reason,
    )


def _roll_back(known: Known, form: Pressed) -> RollbackRequested:
    serving = champion(known, form.market)
    if serving is None or serving != form.subject:
        raise BadForm(f"{form.subject[:40]!r} is not the champion: it is {serving or 'unknown'}")
    return RollbackRequested(
        request_id=f"rollback-{form.market}-{form.token}",
        market=form.market,
        requested_ms=form.now_ms,
        reasons=(form.reason,),
        requested_by=form.by,
        leave_version=serving,
    )


def _retrain(_known: Known, form: Pressed) -> RetrainRequested:
    return RetrainRequested(
        request_id=f"retrain-{form.market}-{form.token}",
        market=form.market,
        requested_ms=form.now_ms,
        reasons=(form.reason,),
        requested_by=form.by,
    )


def _acknowledge(known: Known, form: Pressed) -> AlertAcknowledged:
    return AlertAcknowledged(
        **_open_alert(known, form),
        acknowledged_ms=form.now_ms,
        acknowledged_by=form.by,
    )


def _snooze(known: Known, form: Pressed) -> AlertSnoozed:
    if form.hours not in SNOOZE_H:
        raise BadForm(f"hours {form.hours[:20]!r}: one of {', '.join(SNOOZE_H)} is wanted")
    return AlertSnoozed(
        **_open_alert(known, form),
        snoozed_ms=form.now_ms,
        snoozed_by=form.by,
        until_ms=form.now_ms + int(form.hours) * HOUR_MS,
    )


def _open_alert(known: Known, form: Pressed) -> dict[str, str]:
    """Which alert, and of which market it is: that of a worker is of none."""
    entry = known.book.get(form.subject)
    if entry is None or entry.alert.market not in (form.market, ALL_MARKETS):
        raise BadForm(f"no alert of this market has the id {form.subject[:40]!r}")
    if not entry.open:
        raise BadForm("this alert is resolved: there is nothing to be done")
    return {"fingerprint": entry.id, "market": entry.alert.market}


def _one_line(what: str, text: str, most: int) -> str:
    text = text.strip()
    if len(text) > most:
        raise BadForm(f"{what} has {len(text):,} letters, at most {most} are taken")
    if not all(letter.isprintable() for letter in text):
        raise BadForm(f"{what} holds a letter that cannot be printed")
    return text


ACTIONS: Mapping[str, Action] = {
    "approve": Action(
        "Approve the candidate", "It becomes the champion within seconds.", False, False, _approve
    ),
    "hold": Action(
        "Hold the candidate", "It is not to serve; the request ends.", True, False, _hold
    ),
    "rollback": Action(
        "Roll back",
        "The champion before serves again within seconds; the retraining after it starts anew.",
        True,
        False,
        _roll_back,
    ),
    "retrain": Action(
        "Ask for a retraining",
        "Offline trains, gates and, as its worker is set, promotes or waits for approval.",
        True,
        False,
        _retrain,
    ),
    "acknowledge": Action(
        "Acknowledge the alert",
        "You look after it: it is not sent again until it is more severe.",
        False,
        False,
        _acknowledge,
    ),
    "snooze": Action(
        "Snooze the alert", "It is not sent until then, however severe.", False, True, _snooze
    ),
}
