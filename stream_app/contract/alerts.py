"""What monitoring says on `housing.alerts`: findings, decisions, requests."""

from enum import StrEnum, auto

from msgspec import Struct


class Severity(StrEnum):
    INFO = auto()
    WARNING = auto()
    CRITICAL = auto()


class Alert(Struct, frozen=True, kw_only=True, tag_field="kind", tag="alert"):
    """One cause, told once. `fingerprint` is the record's key."""

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


class Decision(Struct, frozen=True, kw_only=True, tag_field="kind", tag="decision"):
    market: str
    decided_ms: int
    retrain: bool
    reasons: tuple[str, ...]  # never empty: "no" has reasons too


class RetrainRequested(Struct, frozen=True, kw_only=True, tag_field="kind", tag="retrain"):
    request_id: str
    market: str
    requested_ms: int
    reasons: tuple[str, ...]


AnyAlertMessage = Alert | Decision | RetrainRequested
