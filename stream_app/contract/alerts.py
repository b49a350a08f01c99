"""What is said on `housing.alerts`: alerts, decisions, requests to offline and their answers.

Monitoring judges, offline measures and makes: a request goes one way, answers come back under
the same `request_id`, which is also the record's key. The newest `RequestAnswered` of a request
is where it stands. A request sent twice under one id is one request.
"""

from enum import StrEnum, auto
from typing import Annotated

from msgspec import Meta, Struct


class Severity(StrEnum):
    INFO = auto()
    WARNING = auto()
    CRITICAL = auto()


# A scorer's alert of a publisher names the doubt after one of these; the second ends the first.
DOUBTED = "publisher doubted"
TRUSTED_AGAIN = "publisher trusted again"


class Alert(Struct, frozen=True, kw_only=True, tag_field="kind", tag="alert"):
    """One cause. `fingerprint` is the record's key; told again, it has become more severe."""

    fingerprint: str
    raised_ms: int
    market: str
    cause: str
    severity: Severity
    summary: str
    value: float | None
    baseline: float | None
    sample_size: int
    segment: str | None
    action: str
    runbook: str
    impact: Annotated[str, Meta(description="what it does to whom")] = ""
    likely_cause: str = ""
    since_ms: Annotated[int | None, Meta(description="since when it is so; null: unknown")] = None


class AlertNote(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What is said of an alert that is open, under its key."""

    fingerprint: str
    market: str


class AlertResolved(AlertNote, frozen=True, kw_only=True, tag="alert_resolved"):
    """Its cause is gone."""

    resolved_ms: int
    reason: str


class AlertAcknowledged(AlertNote, frozen=True, kw_only=True, tag="alert_acknowledged"):
    """Somebody looks after it: it is not sent again until it is more severe."""

    acknowledged_ms: int
    acknowledged_by: str


class AlertSnoozed(AlertNote, frozen=True, kw_only=True, tag="alert_snoozed"):
    """It is not sent until then, however severe."""

    snoozed_ms: int
    snoozed_by: str
    until_ms: int


class Trigger(StrEnum):
    """What called for a decision. A closed set."""

    ERROR_RISE = auto()
    CONCEPT_DRIFT = auto()
    FEATURES = auto()
    LABELS = auto()
    SCHEDULE = auto()
    PERSON = auto()  # who asked for a pre-flight
    BAD_DATA = auto()  # calls for a person, and never for a model
    PROBATION = auto()  # of a champion that was just promoted


class NextStep(StrEnum):
    """What follows from a decision."""

    NOTHING = auto()
    WAIT = auto()  # for an answer, or the end of what runs
    PREFLIGHT = auto()  # ask whether a retrained model would have done better
    RETRAIN = auto()
    CALL_PERSON = auto()  # a model cannot help: the data, or something unknown
    CONFIRM = auto()  # the new champion stays: its probation is over
    ROLL_BACK = auto()  # the champion before is to serve again


class Decision(Struct, frozen=True, kw_only=True, tag_field="kind", tag="decision"):
    market: str
    decided_ms: int
    retrain: bool
    reasons: tuple[str, ...]  # never empty: "no" has reasons too
    next_step: NextStep = NextStep.NOTHING
    triggers: Annotated[
        tuple[Trigger, ...],
        Meta(description="that this decision is about, and that rest for the cool-down after it"),
    ] = ()
    market_ms: Annotated[
        int | None,
        Meta(
            description="the market's own time, that cool-down and budget go by; null: decided_ms"
        ),
    ] = None
    champion: Annotated[str | None, Meta(description="who served when it was decided")] = None
    request_id: Annotated[
        str | None, Meta(description="what is asked of offline in consequence, written with it")
    ] = None
    criteria: Annotated[
        str | None, Meta(description="fingerprint of the thresholds that it was decided by")
    ] = None


class Request(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What is asked of the retraining worker. Whoever asks makes the id up, and never uses it again."""

    request_id: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")]
    market: str
    requested_ms: int
    reasons: tuple[str, ...]  # never empty
    requested_by: Annotated[str, Meta(description="who decided it: a policy, or a person")] = ""


class RetrainRequested(Request, frozen=True, kw_only=True, tag="retrain"):
    """Train, gate and, if it passes, promote."""

    train_to_ms: Annotated[
        int | None, Meta(description="what was sold before is trained on; null: all so far")
    ] = None
    promote: Annotated[
        bool | None,
        Meta(
            description="true: a passed gate promotes; false: it waits for approval; "
            "null: as the worker is set"
        ),
    ] = None


class PreflightRequested(Request, frozen=True, kw_only=True, tag="preflight"):
    """Measure whether a retrained model would have done better on the newest mature labels."""


class RollbackRequested(Request, frozen=True, kw_only=True, tag="rollback"):
    """Return to the champion before. Waits for nothing else that is asked."""

    leave_version: Annotated[
        str | None,
        Meta(
            description="the champion to leave: refused once another one serves; "
            "null: whoever serves when the request is read"
        ),
    ] = None


class ApprovalGiven(Struct, frozen=True, kw_only=True, tag_field="kind", tag="approval"):
    """A person's word on a candidate that has passed its gate and waits."""

    request_id: str  # of the RetrainRequested
    market: str
    approved_ms: int
    approved_by: str
    approved: Annotated[bool, Meta(description="false: it is not to serve")] = True
    reason: str = ""


class RequestStatus(StrEnum):
    """Where a request stands. The last three are its end."""

    ACCEPTED = auto()  # read, and waits for its turn
    RUNNING = auto()  # `step` says with what
    WAITING = auto()  # the gate is passed; for an ApprovalGiven
    DONE = auto()
    FAILED = auto()  # who serves is whom it was before
    REFUSED = auto()  # not begun


class WorkStep(StrEnum):
    """One command of `python -m offline`."""

    PREFLIGHT = auto()
    TRAIN = auto()
    GATE = auto()
    PROMOTE = auto()
    ROLLBACK = auto()


class RequestAnswered(Struct, frozen=True, kw_only=True, tag_field="kind", tag="answer"):
    """Where a request stands, with all that is known by then."""

    request_id: str
    market: str
    answered_ms: int
    status: RequestStatus
    step: Annotated[WorkStep | None, Meta(description="that runs, or ran last")] = None
    attempt: Annotated[int, Meta(description="2: the step runs again, after a fault around us")] = 1
    reason: Annotated[str, Meta(description="why failed, refused, again or not promoted")] = ""
    version: Annotated[
        str | None, Meta(description="the candidate; of a roll back the champion that is left")
    ] = None
    gate_passed: Annotated[bool | None, Meta(description="null: not judged yet")] = None
    gate_reasons: tuple[str, ...] = ()
    promoted: Annotated[bool, Meta(description="the candidate is the champion")] = False


class PreflightMeasured(
    Struct, frozen=True, kw_only=True, tag_field="kind", tag="preflight_measured"
):
    """Two answers to the same homes: as they were served, and with a champion of today's labels.

    The retrained one knows only what was sold before `listed_from_ms`, and serves with
    corrector and guard from then on. Errors are means of |log sale price - log price|.
    """

    request_id: str
    market: str
    measured_ms: int
    champion: Annotated[str | None, Meta(description="version that serves now")]
    labels: Annotated[int, Meta(description="homes that both have answered, and that are sold")]
    listed_from_ms: Annotated[int, Meta(description="first listing that is judged")]
    listed_to_ms: Annotated[
        int, Meta(description="last one: who is listed later is not sold for the most part yet")
    ]
    served_error_log: float
    retrained_error_log: float
    saving_log: Annotated[float, Meta(description="served less retrained; above 0 it helps")]
    saving_low_log: Annotated[
        float, Meta(description="lower end of its 95 % interval, by blocks of days")
    ]
    saving_high_log: float
    day_blocks: Annotated[int, Meta(description="that the interval was drawn from")]


class RolledBack(Struct, frozen=True, kw_only=True, tag_field="kind", tag="rolled_back"):
    """The champion before serves again; told to scorers before this was written."""

    request_id: str
    market: str
    rolled_back_ms: int
    from_version: str
    to_version: str


AnyRequest = RetrainRequested | PreflightRequested | RollbackRequested
AnyAlertNote = AlertResolved | AlertAcknowledged | AlertSnoozed
AnyAlertMessage = (
    Alert
    | AnyAlertNote
    | Decision
    | AnyRequest
    | ApprovalGiven
    | RequestAnswered
    | PreflightMeasured
    | RolledBack
)


def key_of(message: AnyAlertMessage) -> str:
    """The record's key: all that belongs to one alert, or to one request, has one."""
    if isinstance(message, Alert | AlertNote):
        return message.fingerprint
    return message.market if isinstance(message, Decision) else message.request_id
