"""What is asked of the worker, and what was said of it: the topic's messages, put together.

The topic is all the memory there is. Messages are taken in its order, so whoever reads it
knows the same: the worker after a restart, the command line, monitoring.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from stream_app.contract.alerts import (
    AnyAlertMessage,
    AnyRequest,
    ApprovalGiven,
    PreflightRequested,
    RequestAnswered,
    RequestStatus,
    RetrainRequested,
    RollbackRequested,
    WorkStep,
)

ENDS = frozenset({RequestStatus.DONE, RequestStatus.FAILED, RequestStatus.REFUSED})


class Asked(Struct):
    """A request and all that was said of it."""

    request: AnyRequest
    answer: RequestAnswered | None = None  # the newest
    approval: ApprovalGiven | None = None  # the newest
    starts: dict[WorkStep, int] = msgspec.field(default_factory=dict)  # how often each step began

    @property
    def status(self) -> RequestStatus | None:
        """Where it stands; None: nobody has read it yet."""
        return None if self.answer is None else self.answer.status

    @property
    def open(self) -> bool:
        """Whether something is still to be done about it."""
        return self.status not in ENDS


Requests = dict[str, Asked]  # by id, in the order in which they were asked


def take(requests: Requests, message: AnyAlertMessage) -> None:
    """Take the topic's next message in. A request that comes again is the one that is there."""
    match message:
        case RetrainRequested() | PreflightRequested() | RollbackRequested():
            requests.setdefault(message.request_id, Asked(message))
        case RequestAnswered() if message.request_id in requests:
            asked = requests[message.request_id]
            asked.answer = message
            if message.status is RequestStatus.RUNNING and message.step is not None:
                asked.starts[message.step] = asked.starts.get(message.step, 0) + 1
        case ApprovalGiven() if message.request_id in requests:
            # Of a candidate that is there to be looked at, never in advance.
            if requests[message.request_id].status is RequestStatus.WAITING:
                requests[message.request_id].approval = message
        case _:
            pass  # it is of no request


def of(messages: Iterable[AnyAlertMessage]) -> Requests:
    """Take all messages in, in the topic's order."""
    requests: Requests = {}
    for message in messages:
        take(requests, message)
    return requests
