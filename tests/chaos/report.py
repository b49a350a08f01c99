"""What a run came to, as one JSON line."""

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from statistics import median

from msgspec import Struct

_LIBRARIES = ("faust-streaming", "aiokafka", "confluent-kafka", "scikit-learn", "river", "msgspec")


class Recovery(Struct, frozen=True):
    """Seconds from a fault to the next commit on every partition that it hit."""

    p50_s: float | None
    max_s: float | None
    by_kind_max_s: Mapping[str, float]


class Report(Struct, frozen=True, kw_only=True):
    """The line. Everything from `lost` to `wrong_state` must be 0, and nothing may have failed.

    With a control the former must not be 0: a run that failed otherwise shows nothing of it.
    """

    seed: int
    control: str | None
    red: bool  # one of them is not 0
    faults: Mapping[str, int]  # that took effect, by kind
    faults_planned: int
    events: int
    counts: Mapping[str, int]
    lost: int
    visible_twice: int
    non_identical: int
    out_of_order: int
    wrong_state: int
    failures: Sequence[str]  # faults without effect, no recovery, strange exits
    recovery: Recovery
    worker_exits: Mapping[str, int]  # how often each exit status was seen
    duration_s: float
    broker: str
    versions: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """A control must be red, everything else must not; nothing may have failed in either."""
        return self.red is (self.control is not None) and not self.failures


def recovery(took_s: Sequence[tuple[str, float]]) -> Recovery:
    """Sum up the recovery times of faults, each with its kind.

    >>> recovery([("sigkill", 7.0), ("sigterm", 2.0), ("sigkill", 8.0)]).by_kind_max_s
    {'sigkill': 8.0, 'sigterm': 2.0}
    """
    seconds = [each for _, each in took_s]
    by_kind: dict[str, float] = {}
    for kind, each in sorted(took_s):
        by_kind[kind] = round(max(each, by_kind.get(kind, 0.0)), 1)
    return Recovery(
        round(median(seconds), 1) if seconds else None,
        round(max(seconds), 1) if seconds else None,
        by_kind,
    )


def versions() -> dict[str, str]:
    """What the run was made with."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def by_kind(took_s: Sequence[tuple[str, float]]) -> dict[str, int]:
    return dict(sorted(Counter(kind for kind, _ in took_s).items()))
