"""How far a stage has come, as it stands in its state topic.

A partition's control record (key `control`) is documented data: msgpack of
`[applied_offset, topic id, watermark_ms, served, counts, publishers, ledgers]`. Read here, never
written.
"""

import msgspec
from msgspec import Struct

KEY = b"control"


class Control(Struct, array_like=True, frozen=True):
    """The same fields as stages/step.py writes; a unit test holds the two together."""

    applied_offset: int  # the last offset of the source that is in the results
    topic_id: str
    watermark_ms: int
    served: dict[str, tuple[object, ...]]  # market -> versions, mode, share and policy
    counts: dict[str, int]  # events by "kind:verdict"
    publishers: int  # that have a record of their own
    ledgers: dict[str, object]  # market -> what it keeps in this partition


_decoder = msgspec.msgpack.Decoder(Control)


def decode(frozen: bytes) -> Control:
    """Read one control record."""
    return _decoder.decode(frozen)
