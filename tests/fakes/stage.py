"""The smallest stage: counts records per key, says each count, forgets keys named in a value."""

from collections.abc import Mapping

import msgspec

from stream_app.contract import topics
from stream_app.stages.step import (
    CONTROL_KEY,
    Batch,
    Control,
    Output,
    Serving,
    State,
    Step,
    read_control,
)


class Counting:
    """Implements shell.runner.Stage."""

    NAME = "counting"
    SOURCE = topics.EVENTS
    STATE_TOPIC = topics.STATE
    READS_MODELS = False

    @staticmethod
    def advance(batch: Batch, state: State, serving: Mapping[str, Serving]) -> Step:
        del serving
        control = read_control(state) or Control(-1, batch.topic_id, 0, {}, {})
        changed: dict[str, bytes | None] = {}
        outputs = []
        for record in batch.records:
            key = (record.key or b"").decode()
            count = int(changed.get(key, state.get(key)) or b"0") + 1
            changed[key] = str(count).encode()
            if record.value:
                changed[record.value.decode()] = None
            outputs.append(
                Output(
                    topics.PREDICTIONS,
                    key.encode(),
                    f"{record.offset}:{count}".encode(),
                    batch.partition,
                    cause_ms=record.append_time_ms,
                )
            )
        control.applied_offset = batch.records[-1].offset
        changed[CONTROL_KEY] = msgspec.msgpack.encode(control)
        return Step(tuple(outputs), changed, control.applied_offset)
