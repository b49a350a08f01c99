"""A record that comes alone is fetched at once; many are gathered for some milliseconds."""

from stream_app.shell.pace import AT_ONCE, GATHERING, Pace


def test_the_first_record_after_a_silence_is_not_kept_waiting() -> None:
    pace = Pace()

    assert pace.after(found=False, now_s=1.0) == AT_ONCE
    assert pace.after(found=True, now_s=2.0) == AT_ONCE


def test_records_that_come_one_after_the_other_are_gathered() -> None:
    pace = Pace()
    pace.after(found=True, now_s=2.0)

    assert pace.after(found=True, now_s=2.004) == GATHERING


def test_what_comes_now_and_then_is_not_gathered() -> None:
    pace = Pace()
    pace.after(found=True, now_s=2.0)

    assert pace.after(found=True, now_s=2.5) == AT_ONCE


def test_gathering_ends_with_a_fetch_that_finds_nothing() -> None:
    pace = Pace()
    pace.after(found=True, now_s=2.0)
    pace.after(found=True, now_s=2.004)

    assert pace.after(found=False, now_s=3.004) == AT_ONCE
