"""Waiting ends with the condition, or with words."""

import itertools

import pytest

from tests.waiting import until


def test_waiting_ends_when_the_condition_holds_and_gives_its_answer() -> None:
    answers = itertools.chain([0, 0, 7], itertools.repeat(8))

    assert until(lambda: next(answers), within_s=5, what="a number") == 7


def test_waiting_in_vain_names_what_was_waited_for_and_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.01 s: a broker \(last answer: None\)"):
        until(lambda: None, within_s=0.01, what="a broker")
