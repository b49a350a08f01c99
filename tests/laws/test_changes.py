"""Only what changed is named, and a price moves only with something that is named."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.contract import wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.models import CorrectorAnnounced
from stream_app.contract.predictions import Change, Prediction, What
from stream_app.contract.topics import PREDICTIONS
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Output, Serving, State, Step
from tests.builders import DAY_MS, HOUR_MS, MARKET, listing, sale
from tests.fakes.champion import FakeChampion
from tests.laws.law import PLANTED, UNSHRUNK
from tests.laws.timelines import serving
from tests.replay import Advance, batch, commit, predictions, record

LISTED, RESENT, AMENDED, LATER, SOLD, CHAMPION, CORRECTOR = (
    "listed",  # the home itself, which is one more on the market for all that comes after it
    "resent",  # the same facts once more, under a higher revision
    "amended",  # another grade
    "later",  # the same facts of two days later
    "sold",  # another home of the region is listed and sold
    "champion",
    "corrector",
)
STORIES = st.lists(
    st.sampled_from([RESENT, AMENDED, LATER, SOLD, CHAMPION, CORRECTOR]), min_size=2, max_size=14
)
# What may be named for each thing that happened. Time moves the windows, too.
MAY = {
    LISTED: {What.MARKET},
    RESENT: set[What](),
    AMENDED: {What.HOME},
    LATER: {What.TIME, What.MARKET},
    SOLD: {What.MARKET, What.REGION_LEVEL},
    CHAMPION: {What.MODEL},
    CORRECTOR: {What.CORRECTOR},
}
MUST = {AMENDED: What.HOME, LATER: What.TIME, CHAMPION: What.MODEL, CORRECTOR: What.CORRECTOR}


class Told(NamedTuple):
    """An answer that supersedes another, and what happened between the two."""

    before: Prediction
    after: Prediction
    happened: list[str]


def tell(advance: Advance, story: list[str]) -> list[Told]:
    """Act the story out for one home, one event a batch."""
    told, happened = list[Told](), [LISTED]
    state: dict[str, bytes] = {}
    offset = 0
    newest: Prediction | None = None
    for events, what, serves in _acts(story):
        happened.append(what)
        for event in events:
            step = advance(batch([record(event, offset)]), state, serves)
            commit(step, state)
            offset += 1
        *_, said = predictions(step.outputs)
        if newest is not None:
            told.append(Told(newest, said, happened))
            happened = []
        newest = said
    return told


def _acts(story: list[str]) -> Iterator[tuple[list[AnyEvent], str, Mapping[str, Serving]]]:
    """The events of each thing that happens, the home's listing the last of them."""
    corrector = serving()[MARKET].corrector
    assert corrector is not None
    champion, home = 0, listing(grade=6)
    for revision, what in enumerate([RESENT, *story]):
        changed: dict[str, object] = {"revision": revision, "event_id": f"home-{revision}"}
        others: list[AnyEvent] = []
        match what:
            case "champion":
                champion += 1
            case "corrector":
                corrector = _next(corrector)
            case "amended":
                changed["grade"] = (home.grade or 0) % 13 + 1
            case "later":
                changed["event_time_ms"] = home.event_time_ms + 2 * DAY_MS
            case "sold":
                others = _others(f"other-{revision}", home.event_time_ms)
        home = msgspec.structs.replace(home, **changed)
        model = FakeChampion(f"v{champion}", level=7.0 + 0.1 * champion)
        yield [*others, home], what, {MARKET: Serving(model, corrector)}


def _others(name: str, at_ms: int) -> list[AnyEvent]:
    """Another home of the region, listed and sold."""
    return [
        listing(listing_id=name, event_time_ms=at_ms - HOUR_MS),
        sale(listing_id=name, event_time_ms=at_ms, sale_price=300_000.0),
    ]


def _next(version: CorrectorAnnounced) -> CorrectorAnnounced:
    number = int(version.version[1:]) + 1
    return msgspec.structs.replace(
        version, version=f"c{number}", guard_weight=1.0 / number, intercept=0.01 * number
    )


def check_law(advance: Advance, how: settings = UNSHRUNK) -> None:
    @how
    @given(STORIES)
    def only_what_changed_is_named(story: list[str]) -> None:
        for before, after, happened in tell(advance, story):
            named = {each.what for each in after.changed}
            assert after.supersedes == before.prediction_id
            assert named <= set[What]().union(*(MAY[what] for what in happened))
            assert named >= {MUST[what] for what in happened if what in MUST}
            assert before.price is not None
            assert after.price is not None
            if after.price != before.price:
                assert named
            assert after.moved_log == math.log(after.price) - math.log(before.price)
            if set(happened) == {RESENT}:
                assert (after.price, after.features) == (before.price, before.features)

    only_what_changed_is_named()


def rewritten(rewrite: Callable[[Prediction], Prediction]) -> Advance:
    def advance(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
        step = scorer.advance(taken, state, models)
        return step._replace(outputs=tuple(map(again, step.outputs)))

    def again(output: Output) -> Output:
        if output.topic is not PREDICTIONS or output.value is None:
            return output
        said = wire.decode_prediction(output.value)
        return output._replace(value=wire.encode(rewrite(said)))

    return advance


def names_nothing(said: Prediction) -> Prediction:
    """Planted: another price, and not a word."""
    return msgspec.structs.replace(said, changed=())


def names_too_much(said: Prediction) -> Prediction:
    """Planted: a model swap is named at each resend."""
    more = (*said.changed, Change(What.MODEL, "v0", "v1"))
    return msgspec.structs.replace(said, changed=more if said.supersedes else ())


def moves_by_itself(said: Prediction) -> Prediction:
    """Planted: each revision is a little dearer."""
    price = (said.price or 0.0) * (1 + 1e-9 * said.revision)
    return msgspec.structs.replace(said, price=price)


def test_only_what_changed_is_named() -> None:
    check_law(scorer.advance)


@pytest.mark.parametrize("planted", [names_nothing, names_too_much, moves_by_itself])
def test_the_law_of_changes_catches(planted: Callable[[Prediction], Prediction]) -> None:
    with pytest.raises(AssertionError):
        check_law(rewritten(planted), PLANTED)
