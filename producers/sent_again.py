"""Which refused events were sent again: a small file, always whole, written after confirmation.

After a crash those sent since the last write are sent once more, with the same event ids: the
scorer knows them as duplicates.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from operator import itemgetter
from pathlib import Path
from time import monotonic

import msgspec
from msgspec import Struct

from producers.checkpoint import BadCheckpoint, write_whole
from producers.refused import Refused
from producers.replayer import SAVE_EVERY_S, Sending
from stream_app.contract import wire
from stream_app.contract.wire import Decoded


class Memory(Struct, kw_only=True):
    """Offsets of the rejects topic whose events were sent again and confirmed."""

    topic: str
    topic_id: str  # another one: the topic was recreated, and its offsets mean others
    # By partition: spans of offsets, first and last, rising and apart.
    sent: dict[int, list[tuple[int, int]]] = {}
    version: int = 1

    def has(self, refused: Refused) -> bool:
        spans = self.sent.get(refused.partition, [])
        place = bisect_right(spans, refused.offset, key=itemgetter(0))
        return place > 0 and refused.offset <= spans[place - 1][1]

    def add(self, refused: Refused) -> None:
        """Remember one more; spans that touch become one."""
        spans, offset = self.sent.setdefault(refused.partition, []), refused.offset
        place = bisect_right(spans, offset, key=itemgetter(0))
        first, last = offset, offset
        if place < len(spans) and spans[place][0] == offset + 1:
            last = spans.pop(place)[1]
        if place and spans[place - 1][1] >= offset - 1:
            place -= 1
            before = spans.pop(place)
            first, last = before[0], max(last, before[1])
        spans.insert(place, (first, last))


def load(path: Path, topic: str, topic_id: str) -> Memory:
    """What was sent before; nothing when there is no file yet.

    Raises
    ------
    BadCheckpoint : not readable, or of another topic; the message says what differs
    """
    try:
        memory = msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return Memory(topic=topic, topic_id=topic_id)
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise BadCheckpoint(f"{path} does not say what was sent again: {error}") from None
    if (memory.topic, memory.topic_id) != (topic, topic_id):
        raise BadCheckpoint(
            f"{path} is of topic {memory.topic} ({memory.topic_id}), here it is {topic} "
            f"({topic_id}); choose another file, or delete this one to start anew"
        )
    return memory


def save(path: Path, memory: Memory) -> None:
    """Replace the file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(memory))


def send_again(
    chosen: Iterable[Refused],
    sender: Sending,
    memory: Memory,
    keep: Callable[[Memory], None],
    stop: Callable[[], bool],
    clock_s: Callable[[], float] = monotonic,
) -> int:
    """Send each to where it belongs, once; give how many were sent and confirmed.

    Whatever ends it, those confirmed are kept in mind.

    Raises
    ------
    Undelivered : (the sender's) what was confirmed before is kept
    """
    waiting: list[Refused] = []
    first = sender.confirmed
    kept_s = clock_s()

    def remember() -> None:
        done = sender.confirmed - first - (sent - len(waiting))
        for refused in waiting[:done]:
            memory.add(refused)
        del waiting[:done]
        keep(memory)

    sent = 0
    try:
        for refused in chosen:
            if stop():
                break
            decoded = wire.decode_event(refused.raw)
            assert isinstance(decoded, Decoded)  # noqa: S101 - only what passes is chosen
            sender.send_raw(decoded.event.event_id, decoded.event.region, refused.raw)
            waiting.append(refused)
            sent += 1
            if clock_s() - kept_s >= SAVE_EVERY_S:
                kept_s = clock_s()
                sender.settle()
                remember()
        sender.flush()
    finally:
        remember()
    return sent
