"""`python -m offline replay`: any range of the log, by any model, and what that changes."""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from offline import difference_page, page, rescored
from offline.difference import Comparison
from offline.faults import Refused
from offline.log import Partition
from offline.progress import told
from offline.replay import Way, replay
from offline.replay_output import opened
from offline.replay_plan import Plan, plan
from offline.rescored import Rescored
from offline.settings import OfflineSettings
from stream_app.contract import wire
from stream_app.contract.counts import counted
from stream_app.contract.markets import MARKETS
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import OUTCOMES, PREDICTIONS
from stream_app.stages.step import Output


class NotAsServed(Refused):
    """The log does not give what was served."""


def run(
    given: argparse.Namespace,
    kafka: KafkaSettings,
    own: OfflineSettings,
    partitions: Sequence[Partition],
) -> dict[str, object]:
    """Serve again, write what comes of it, and say what is other than it was.

    Raises
    ------
    WrongInput : what was asked for cannot be done
    NotAsServed : a replay as served gives something else than the topic of predictions holds
    """
    asked = plan(given, kafka, own, partitions)
    watch = _watch(given, kafka, asked)
    counts = _serve(given, kafka, asked, watch)
    result = {"market": given.market, "served": asked.ways[-1].name, **counts}
    match watch:
        case Rescored():
            return result | _as_served(watch)
        case Comparison():
            return result | _differs(given, asked, watch)
        case None:
            return result


Watch = Rescored | Comparison | None


def _watch(given: argparse.Namespace, kafka: KafkaSettings, asked: Plan) -> Watch:
    """What is held against what; None: there is nothing to hold it to."""
    if asked.as_served:
        return Rescored(given.market, rescored.kept(kafka, given.market))
    return Comparison(given.market) if len(asked.ways) == 2 else None


def _serve(
    given: argparse.Namespace, kafka: KafkaSettings, asked: Plan, watch: Watch
) -> dict[str, int]:
    """Serve again and write the results; how many there were of each."""
    way = Way(given.market, asked.partitions, asked.lineups)
    changes = [each.change for each in asked.ways]
    counts = {"events": 0, PREDICTIONS.name: 0, OUTCOMES.name: 0}
    with ExitStack() as stack:
        write = {
            PREDICTIONS.name: stack.enter_context(opened(given.out, kafka)),
            OUTCOMES.name: stack.enter_context(opened(given.outcomes, kafka)),
        }
        for chunk, outputs in replay(
            asked.partitions, way, changes, asked.begins, asked.ends, told()
        ):
            counts["events"] += len(chunk)
            for output in outputs[-1]:
                if _is_result(output, given.market):
                    write[output.topic.name](output)
                    counts[output.topic.name] += 1
            if watch is not None:
                watch.take(chunk, *outputs)
    return counts


def _is_result(output: Output, market: str) -> bool:
    """Whether it is a prediction or an outcome of the market."""
    if output.value is None:
        return False
    if output.topic is PREDICTIONS:
        return wire.decode_prediction(output.value).market == market
    return output.topic is OUTCOMES and output.key == market.encode()


def _as_served(watch: Rescored) -> dict[str, object]:
    verdict = watch.verdict()
    if verdict.different:
        raise NotAsServed(
            f"{verdict.different} of {verdict.equal + verdict.different} predictions are not as "
            f"served, such as those of {', '.join(verdict.examples)}"
        )
    return {"equal": verdict.equal, "different": 0, "not_kept": verdict.not_kept}


def _differs(given: argparse.Namespace, asked: Plan, watch: Comparison) -> dict[str, object]:
    before, after = (way.name for way in asked.ways)
    found = watch.difference(before, after)
    made = page.write(
        given.report or Path("var", "replay", given.market),
        "difference",
        f"What {after} changes in {given.market}",
        f"Against {before}; {counted(found.listings, 'listing')}; prices in "
        f"{MARKETS[given.market].currency}.",
        difference_page.sections(found),
        found,
    )
    return {"against": before, "difference": msgspec.to_builtins(found.overall), **made}
