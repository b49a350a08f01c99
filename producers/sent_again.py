"""Which refused events were sent again: one file, always whole, written after confirmation.

An event is known by its bytes, so one that is refused again is not sent again: 50 bytes each,
kept for twice as long as the rejects topic keeps a record.

After a crash those sent since the last write are sent once more, with the same event ids: the
scorer knows them as duplicates.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic

import msgspec
from msgspec import Struct

from producers.checkpoint import BadCheckpoint, write_whole
from producers.refused import Refused
from producers.replayer import SAVE_EVERY_S, Sending
from stream_app.contract import wire
from stream_app.contract.topics import REJECTS
from stream_app.contract.wire import Decoded

# An event that is sent again can be refused again: twice as long as the topic keeps a record.
REMEMBERED_MS = 2 * int(REJECTS.config["retention.ms"])


class Memory(Struct, kw_only=True):
    """Events that were sent again and confirmed, whatever became of them then."""

    topic: str
    topic_id: str  # another one: the topic was recreated, and holds nothing of what was sent
    sent: dict[str, int] = {}  # by digest: when, in ms
    version: int = 2  # 1 knew offsets, so an event that was refused again was sent again

    def has(self, refused: Refused) -> bool:
        return refused.digest in self.sent

    def add(self, refused: Refused, now_ms: int) -> None:
        self.sent[refused.digest] = now_ms


def load(path: Path, topic: str, topic_id: str, now_ms: int) -> Memory:
    """What was sent before, but for what is too old; nothing when there is no file yet.

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
    oldest_ms = now_ms - REMEMBERED_MS
    memory.sent = {digest: at_ms for digest, at_ms in memory.sent.items() if at_ms >= oldest_ms}
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
    wall_ms: Callable[[], int],
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
            memory.add(refused, wall_ms())
        del waiting[:done]
        keep(memory)

    sent = 0
    try:
        for refused in chosen:
            decoded = wire.decode_event(refused.raw)
            assert isinstance(decoded, Decoded)  # noqa: S101 - only what passes is chosen
            sender.send_raw(decoded.event.event_id, decoded.event.region, refused.raw)
            waiting.append(refused)
            sent += 1
            if clock_s() - kept_s >= SAVE_EVERY_S:
                sender.settle()
                remember()
                kept_s = clock_s()  # a long memory takes its time to write
        sender.flush()
    finally:
        remember()
    return sent
