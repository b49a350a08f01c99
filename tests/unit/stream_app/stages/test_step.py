"""What a partition's state remembers of itself."""

import msgspec

from stream_app.stages.step import CONTROL_KEY, Control, read_control


def test_an_empty_state_has_no_control_record() -> None:
    assert read_control({}) is None


def test_the_control_record_is_read_as_it_was_kept() -> None:
    control = Control(7, "topic-1", 1_000, {"hdb": ("v1", None)}, {"sale:joined": 2})

    assert read_control({CONTROL_KEY: msgspec.msgpack.encode(control)}) == control
