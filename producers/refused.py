"""What was refused, held against today's rules. Values only; refused_topic.py reads them.

An event that would pass now is one whose cause was mended on our side: a market added, a
rule changed; or one that only lay wrong (key, partition), as it is sent to the right place.
Of what only the ledger can refuse nothing can be said here.
"""

import hashlib
from collections.abc import Iterable
from enum import StrEnum, auto

from msgspec import Struct

from producers.judgement import Verdict, judge
from stream_app.contract.rejects import RejectCode, RejectHeaders
from stream_app.contract.remedies import CONDITIONS

BY_THE_LEDGER = tuple(
    code for code, condition in CONDITIONS.items() if condition.judged_in == "core/labels.py"
)


class Refused(Struct, frozen=True):
    """One record of `housing.rejects`."""

    partition: int
    offset: int
    at_ms: int  # when it was refused
    headers: RejectHeaders
    raw: bytes  # the event; empty when it was too large to be kept

    @property
    def digest(self) -> str:
        """Which event it is, however often it was refused: 128 bits of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:32]


class Choice(Struct, frozen=True):
    """Which of them."""

    code: RejectCode | None = None
    publisher: str | None = None
    since_ms: int | None = None
    limit: int | None = None

    def takes(self, refused: Refused) -> bool:
        """Whether this one is meant; `limit` is the caller's business."""
        return (
            self.code in (None, refused.headers.code)
            and self.publisher in (None, refused.headers.publisher)
            and (self.since_ms is None or refused.at_ms >= self.since_ms)
        )


class Prospect(StrEnum):
    """What would become of a refused event that is sent again now."""

    PASSES = auto()
    REFUSED_AGAIN = auto()
    NOT_TO_BE_JUDGED_HERE = auto()  # the ledger refused it: only the scorer can tell
    NOT_KEPT = auto()  # too large: the publisher has the bytes, by the hash in the headers
    SENT_BEFORE = auto()  # by an earlier replay, or the same bytes by this one


class Group(Struct):
    """Refused events of one code and publisher."""

    code: RejectCode
    publisher: str
    events: int
    first_ms: int
    last_ms: int
    example: str  # the detail of the first one


def prospect(refused: Refused, now_ms: int) -> tuple[Prospect, RejectCode | None]:
    """Judge by the contract's rules as of now; with the code when it is refused again."""
    if not refused.raw and refused.headers.size != "0":
        return Prospect.NOT_KEPT, None
    judgement = judge(refused.raw, now_ms)
    if judgement.verdict is Verdict.REJECTED:
        return Prospect.REFUSED_AGAIN, judgement.code
    if refused.headers.code in BY_THE_LEDGER:
        return Prospect.NOT_TO_BE_JUDGED_HERE, None
    return Prospect.PASSES, None


def grouped(found: Iterable[Refused]) -> list[Group]:
    """By cause and publisher, the largest group first."""
    groups: dict[tuple[str, str], Group] = {}
    for refused in found:
        headers = refused.headers
        key = (headers.code, headers.publisher)
        group = groups.get(key)
        if group is None:
            group = Group(headers.code, headers.publisher, 0, refused.at_ms, 0, headers.detail)
            groups[key] = group
        group.events += 1
        group.first_ms = min(group.first_ms, refused.at_ms)
        group.last_ms = max(group.last_ms, refused.at_ms)
    return sorted(groups.values(), key=lambda each: (-each.events, each.code, each.publisher))
