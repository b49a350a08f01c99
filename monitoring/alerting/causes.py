"""Every cause that any part of the system alerts: its id, what it does, what to do, its page.

`Alert.cause` is one of these texts; a scorer's doubt of a publisher names the doubt after it
("publisher doubted: unit").
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from monitoring.detectors.finding import Cause
from stream_app.contract.alerts import DOUBTED
from stream_app.contract.ids import fingerprint

RUNBOOKS = "docs/runbooks"


class Condition(StrEnum):
    """What is wrong with a machine or a field. Watched by `monitoring conditions`."""

    LATENCY = "latency"
    REFUSED_SHARE = "refused share"
    LAG = "lag"
    STALE = "no predictions"
    UNREACHABLE = "worker unreachable"
    KEY_NULLS = "key field null"
    FIELD_NEW = "field new"
    FIELD_GONE = "field gone"
    FIELD_RENAMED = "field renamed"


class Event(StrEnum):
    """What happened once, and is over when nobody speaks of it any more."""

    PERSON_CALLED = "person called"
    REQUEST_FAILED = "request failed"
    APPROVAL_AWAITED = "approval awaited"
    ROLLED_BACK = "rolled back"
    MODEL_REFUSED = "model refused"
    MODEL_UNAVAILABLE = "model unavailable"


class Told(NamedTuple):
    """What an alert says beside its figures."""

    page: str  # below RUNBOOKS
    impact: str
    action: str


def of_finding(cause: Cause) -> str:
    """The words of a detector's cause.

    >>> of_finding(Cause.PRICE_LEVEL)
    'price level'
    """
    return cause.replace("_", " ")


def id_of(market: str, cause: str, segment: str | None) -> str:
    """The id of a cause: the same wherever and whenever it is seen."""
    return fingerprint("alert", market, cause, segment or "")


def told_of(cause: str) -> Told:
    """What is told of a cause, its doubt left aside."""
    return CAUSES[cause.partition(":")[0]]


def runbook_of(cause: str) -> str:
    """The page of a cause.

    >>> runbook_of("publisher doubted: unit")
    'docs/runbooks/publisher-doubted.md'
    """
    return f"{RUNBOOKS}/{told_of(cause).page}.md"


_MACHINE = "see the worker's log and /ready; restart it if it stands still"
_FIELD = "ask the publisher what it changed; nothing is guessed meanwhile"

CAUSES: Mapping[str, Told] = MappingProxyType(
    {
        of_finding(Cause.PRICE_LEVEL): Told(
            "price-level",
            "prices are answered too high or too low until the corrector has caught up",
            "see what the policy decided; look for one publisher behind it",
        ),
        of_finding(Cause.ERROR): Told(
            "error",
            "prices are farther off than they were, in no one direction",
            "see which regions and types are worse, and what the policy decided",
        ),
        of_finding(Cause.UNIT): Told(
            "unit",
            "this publisher's homes are priced by a wrong size or sum; nothing is retrained",
            "tell the publisher; it is learned from again when its values are as before",
        ),
        of_finding(Cause.NULLS): Told(
            "nulls",
            "homes are priced without this field; nothing is retrained",
            "ask the publisher; look for the field under another name",
        ),
        of_finding(Cause.REJECTS): Told(
            "rejects",
            "these homes get no price; nothing is retrained",
            "read the codes in housing.rejects, tell the publisher, replay what was mended",
        ),
        of_finding(Cause.CATEGORY): Told(
            "category",
            "homes of this kind are priced as unknown ones, and marked degraded",
            "spelling: tell the publisher; a real one is known after the next training",
        ),
        of_finding(Cause.INPUT): Told(
            "input",
            "the model is asked about other homes than it was trained on",
            "hold it against the same season; the policy retrains when it is many fields",
        ),
        of_finding(Cause.SKEW): Told(
            "skew",
            "errors are not those that the gate was told, from the first day",
            "hold features as served against those of the training; if they differ, roll back",
        ),
        of_finding(Cause.VOLUME): Told(
            "volume",
            "what is learned of the market stands still, or is learned twice; nothing is retrained",
            "hold it against the publisher's own figures: is trade so, or is the way here broken?",
        ),
        Condition.LATENCY: Told(
            "latency", "prices come later than promised", "see lag, CPU and batch times"
        ),
        Condition.REFUSED_SHARE: Told(
            "refused-share",
            "refused events get no price",
            "group the rejects by publisher and code, and tell the publisher",
        ),
        Condition.LAG: Told("lag", "prices are old when they come", _MACHINE),
        Condition.STALE: Told("no-predictions", "events come and no price goes out", _MACHINE),
        Condition.UNREACHABLE: Told(
            "worker-unreachable",
            "nothing is known of this worker: its figures are unknown, not good",
            "see whether it runs; another takes its partitions when it is dead",
        ),
        Condition.KEY_NULLS: Told(
            "key-field-null", "homes are priced without what the model leans on", _FIELD
        ),
        Condition.FIELD_NEW: Told(
            "field-changed", "events with a field that is not in the contract are refused", _FIELD
        ),
        Condition.FIELD_GONE: Told("field-changed", "homes are priced without this field", _FIELD),
        Condition.FIELD_RENAMED: Told(
            "field-changed", "events with a name that is not in the contract are refused", _FIELD
        ),
        Event.PERSON_CALLED: Told(
            "person-called",
            "nothing is retrained until somebody has looked",
            "read the reasons, mend the cause; ask for a retraining by hand if that helps",
        ),
        Event.REQUEST_FAILED: Told(
            "request-failed",
            "the champion is the one before",
            "read the reason and the step's log; ask again when it is mended",
        ),
        Event.APPROVAL_AWAITED: Told(
            "approval-awaited",
            "a better model waits; the old one serves",
            "read the gate's reasons, then approve or decline",
        ),
        Event.ROLLED_BACK: Told(
            "rolled-back",
            "the champion before serves again",
            "see why the newer one was worse before the next promotion",
        ),
        Event.MODEL_REFUSED: Told(
            "model-refused",
            "the model that was announced does not serve",
            "mend the cause and announce the version anew, or roll back",
        ),
        Event.MODEL_UNAVAILABLE: Told(
            "model-refused",
            "the model that was announced does not serve yet",
            "none if it serves within minutes; else see whether its file is there",
        ),
        DOUBTED: Told(
            "publisher-doubted",
            "its homes are priced and marked; nothing of it is learned",
            "mend what is told of it, at the publisher",
        ),
    }
)
