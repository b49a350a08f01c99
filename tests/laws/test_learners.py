"""A learner restored after any label goes on with equal bytes."""

import math
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.core.features import NAMES
from stream_app.core.region import Linear
from stream_app.scoring.corrector import FEATURES, Learner, market_learner, region_learner
from tests.laws.law import LAW, PLANTED

Restore = Callable[[Linear], Learner]
Restart = Callable[[Learner, Restore], Learner]

VALUES = st.just(math.nan) | st.floats(-50.0, 50.0) | st.sampled_from([0.0, 1.0, 1e7])
LESSONS = st.lists(
    st.tuples(st.fixed_dictionaries(dict.fromkeys(FEATURES, VALUES)), st.floats(-0.6, 0.6)),
    min_size=2,
    max_size=6,
)
Lesson = tuple[dict[str, float], float]


def frozen(learner: Learner) -> bytes:
    return msgspec.msgpack.encode(learner.freeze())


def restart(learner: Learner, restore: Restore) -> Learner:
    """Through bytes, as over a restart."""
    return restore(msgspec.msgpack.decode(frozen(learner), type=Linear))


def check_law(restarted: Restart, restore: Restore = region_learner, how: settings = LAW) -> None:
    @how
    @given(LESSONS)
    def restored_learner_goes_on(lessons: list[Lesson]) -> None:
        unbroken = broken = restore(Linear())
        for known, residual in lessons:
            row = [known.get(name, math.nan) for name in NAMES]
            broken = restarted(broken, restore)
            assert broken.predict(row) == unbroken.predict(row)
            broken.learn(row, residual)
            if unbroken is not broken:
                unbroken.learn(row, residual)
            assert frozen(broken) == frozen(unbroken)

    restored_learner_goes_on()


def restart_without_variances(learner: Learner, restore: Restore) -> Learner:
    """Planted: keeps means and weights, and starts the spread anew."""
    kept = learner.freeze()
    return restore(msgspec.structs.replace(kept, variances=[0.0] * len(FEATURES)))


def restart_in_another_order(learner: Learner, restore: Restore) -> Learner:
    """Planted: frozen by name, thawed by place."""
    kept = learner.freeze()
    by_name = dict(sorted(zip(FEATURES, kept.weights, strict=True)))
    return restore(msgspec.structs.replace(kept, weights=list(by_name.values())))


def restart_in_single_precision(learner: Learner, restore: Restore) -> Learner:
    """Planted: saves half of the bytes."""
    kept = learner.freeze()
    short = msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=Linear)
    short.intercept = math.trunc(short.intercept * 2**24) / 2**24
    return restore(short)


def restart_without_the_intercept(learner: Learner, restore: Restore) -> Learner:
    """Planted: forgets the one number that is not in a dictionary."""
    return restore(msgspec.structs.replace(learner.freeze(), intercept=0.0))


@pytest.mark.parametrize("restore", [region_learner, market_learner], ids=["region", "market"])
def test_a_restored_learner_goes_on_with_equal_bytes(restore: Restore) -> None:
    check_law(restart, restore)


@pytest.mark.parametrize(
    "planted",
    [
        restart_without_variances,
        restart_in_another_order,
        restart_in_single_precision,
        restart_without_the_intercept,
    ],
)
def test_the_law_of_learners_catches(planted: Restart) -> None:
    with pytest.raises(AssertionError):
        check_law(planted, how=PLANTED)
