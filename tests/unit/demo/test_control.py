"""The demo reads control records as documented data: the same fields as the stages write."""

import msgspec

from demo import control
from stream_app.stages import step


def test_a_control_record_reads_as_it_was_written() -> None:
    roster = step.Roster("v1", None, "v0")
    written = step.Control(41, "topic-id", 1_400_000_000_000, {"hdb": roster}, {"sale:x": 3})

    read = control.decode(msgspec.msgpack.encode(written))

    served = {"hdb": tuple(msgspec.to_builtins(roster))}
    assert msgspec.structs.asdict(read) == msgspec.structs.asdict(written) | {"served": served}
    assert control.KEY.decode() == step.CONTROL_KEY
