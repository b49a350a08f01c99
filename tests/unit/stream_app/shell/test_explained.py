"""What is said of a prediction, and of one that the log does not give."""

import json
from collections.abc import Sequence

import pytest

from stream_app.contract import wire
from stream_app.contract.predictions import Change, Prediction, Versions, What
from stream_app.core.features import FEATURE_SET, NAMES
from stream_app.shell import explained
from stream_app.shell.explained import Explanation
from tests import messages

FEATURES = (4.7, *[None] * (len(NAMES) - 1))
VERSIONS = Versions("v1", "c1", FEATURE_SET)
SAID = messages.prediction(features=FEATURES, versions=VERSIONS)


def explanation(recorded: Prediction, rebuilt: Prediction | None) -> Explanation:
    return Explanation(
        "housing.predictions",
        12,
        wire.encode(recorded),
        None if rebuilt is None else wire.encode(rebuilt),
        1_200,
        [messages.activated()],
    )


def text(given: Explanation) -> str:
    return "\n".join(explained.lines(given))


def changed(**changes: object) -> Prediction:
    return messages.prediction(**{"features": FEATURES, "versions": VERSIONS} | changes)


def test_the_same_bytes_are_rebuilt_bit_for_bit() -> None:
    told = text(explanation(SAID, SAID))

    assert "rebuilt bit for bit: yes (1,200 events replayed)" in told
    assert "champion v1" in told


def test_a_reason_is_a_percentage_of_the_price() -> None:
    assert "+8.3 %  size" in text(explanation(SAID, SAID))


def test_every_feature_stands_with_its_name_and_value() -> None:
    told = text(explanation(SAID, SAID))

    assert all(name in told for name in NAMES)
    assert "4.7  log m2" in told
    assert "unknown" in told


@pytest.mark.parametrize(
    ("rebuilt", "first"),
    [
        (changed(price=1.0), ("price", SAID.price, 1.0)),
        (changed(features=(4.8, *FEATURES[1:])), (f"features.{NAMES[0]}", 4.7, 4.8)),
        (None, ("prediction_id", "p-1", None)),
    ],
    ids=["price", "feature", "nothing"],
)
def test_the_first_difference_is_named(rebuilt: Prediction | None, first: Sequence[object]) -> None:
    given = explanation(SAID, rebuilt)

    assert not given.same
    assert explained.difference(given) == tuple(first)
    assert "rebuilt bit for bit: no" in text(given)


def test_another_form_of_the_same_values_is_told_apart() -> None:
    given = explanation(SAID, SAID)._replace(recorded=wire.encode(SAID) + b" ")

    assert not given.same
    assert explained.difference(given) is None
    assert "only the form" in text(given)


def test_another_feature_set_is_named() -> None:
    old = changed(versions=Versions("v1", "c1", "old"))

    assert "made with feature set old" in text(explanation(old, SAID))


def test_a_prediction_without_a_price_can_be_told() -> None:
    said = changed(price=None, price_low=None, price_high=None, reasons=(), supersedes="p-0")

    told = text(explanation(said, said))

    assert "price     none" in told
    assert "instead of p-0" in told
    assert "too few homes" in told


def test_what_changed_since_the_superseded_one_is_told() -> None:
    changes = (Change(What.HOME, features=("home_grade",)), Change(What.MODEL, "v1", "v2"))
    said = changed(supersedes="p-0", changed=changes, moved_log=0.1)

    told = text(explanation(said, said))

    assert "instead of p-0, price +10.5 %; what changed:" in told
    assert "    home home_grade\n" in told
    assert "    model v1 -> v2\n" in told


def test_a_price_without_interval_says_so() -> None:
    assert "no interval" in text(explanation(changed(price_low=None), SAID))


def test_the_same_can_be_had_as_json() -> None:
    told = json.loads(explained.as_json(explanation(SAID, changed(price=1.0))))

    assert told["rebuilt_bit_for_bit"] is False
    assert told["first_difference"]["field"] == "price"
    assert told["features"][0] == {"name": NAMES[0], "unit": "log m2", "value": 4.7}
    assert told["prediction"]["prediction_id"] == "p-1"
    assert json.loads(explained.as_json(explanation(SAID, SAID)))["first_difference"] is None
