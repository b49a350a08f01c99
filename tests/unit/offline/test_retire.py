"""What serves, is tried, or is the way back cannot be retired, whoever says that it does."""

import pytest

from offline import retire
from offline.retire import InUse

QUIET = {"housing.models": {"champion": "c2", "previous": "c1"}, "MLflow": {"challenger": "c3"}}


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("c2", "c2 is champion on housing.models; it stays until another one is"),
        ("c1", "c1 is previous on housing.models"),
        ("c3", "c3 is challenger on MLflow"),
    ],
)
def test_what_is_in_use_stays(version: str, says: str) -> None:
    with pytest.raises(InUse, match=says):
        retire.refuse(version, QUIET)


def test_all_who_hold_it_are_named() -> None:
    both = {who: {"champion": "c1"} for who in ("housing.models", "MLflow")}

    with pytest.raises(InUse, match=r"champion on housing\.models, champion on MLflow"):
        retire.refuse("c1", both)


def test_another_alias_holds_nobody() -> None:
    retire.refuse("c4", {**QUIET, "housing.models": {"favourite": "c4"}})
