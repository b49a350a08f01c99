"""What is kept warm is found by the object it was frozen into, once, and not for ever."""

from stream_app.stages.warm import Warm

FROZEN = b"the state holds this very object"


def test_what_was_kept_is_taken_once() -> None:
    warm: Warm[bytes, str] = Warm(2)
    warm.keep(FROZEN, "thawed")

    assert warm.take(FROZEN) == "thawed"
    assert warm.take(FROZEN) is None


def test_equal_bytes_that_were_read_anew_are_not_found() -> None:
    warm: Warm[bytes, str] = Warm(2)
    warm.keep(FROZEN, "thawed")

    assert warm.take(bytes(bytearray(FROZEN))) is None


def test_of_too_many_the_oldest_goes() -> None:
    warm: Warm[bytes, int] = Warm(2)
    names = [b"first", b"second", b"third"]
    for number, name in enumerate(names):
        warm.keep(name, number)

    assert [warm.take(name) for name in names] == [None, 1, 2]
