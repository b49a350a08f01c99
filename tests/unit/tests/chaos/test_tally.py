"""Whatever goes wrong with what is visible is counted under its own name."""

import pytest

from tests.chaos.tally import Named, Tally, compare, compare_state

A, B, C = (Named(name, name.encode()) for name in "abc")
OTHER_B = Named("b", b"another")


def test_what_is_as_it_should_be_counts_as_expected_only() -> None:
    assert compare([A, B], [A, B]) == Tally(expected=2)
    assert compare([A, B], [A, B]).wrong == 0


@pytest.mark.parametrize(
    ("seen", "wrong"),
    [
        ([A, C], Tally(3, lost=1)),
        ([A, B, C, B], Tally(3, visible_twice=1)),
        ([A, B, B, C, C], Tally(3, visible_twice=2)),
        ([A, OTHER_B, C], Tally(3, non_identical=1)),
        ([A, C, B], Tally(3, out_of_order=2)),
        ([A, B, OTHER_B], Tally(3, lost=1, visible_twice=1)),
        ([], Tally(3, lost=3)),
    ],
    ids=["lost", "twice", "two twice", "other", "moved", "lost and twice", "nothing"],
)
def test_a_fault_is_counted_under_its_name(seen: list[Named], wrong: Tally) -> None:
    assert compare([A, B, C], seen) == wrong
    assert wrong.wrong > 0


def test_what_nobody_expected_is_visible_once_too_often() -> None:
    assert compare([], [A]).visible_twice == 1


@pytest.mark.parametrize("seen", [{}, {"a": b"2"}, {"a": b"1", "b": b""}])
def test_state_that_differs_in_one_key_is_one_wrong(seen: dict[str, bytes]) -> None:
    assert compare_state({"a": b"1"}, seen).wrong_state == 1


def test_tallies_add_up_field_by_field() -> None:
    assert Tally(3, lost=1) + Tally(2, wrong_state=4) == Tally(5, lost=1, wrong_state=4)
