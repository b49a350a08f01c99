"""`rejects list`, `group` and `replay`: tells what was refused, and sends again what passes now."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from producers import sent_again
from producers.refused import Choice, Prospect, Refused, grouped, prospect
from producers.refused_topic import read
from producers.sender import Sender, topic_id, wall_clock_ms
from producers.sent_again import Memory, send_again
from producers.settings import ProducerSettings, from_environment
from producers.stopping import BY_SIGNAL, on_signals
from stream_app.contract.rejects import RejectCode
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import REJECTS, full_name

SOME_REFUSED_AGAIN = 1


def run_rejects(given: argparse.Namespace) -> int:
    """Look at what was refused, or send it again."""
    kafka, own = from_environment()
    choice = Choice(
        code=None if given.code is None else RejectCode(given.code),
        publisher=given.publisher,
        since_ms=given.since,
        limit=given.limit,
    )
    return _ACTIONS[given.action](given, kafka, own, choice)


def _list(
    given: argparse.Namespace, kafka: KafkaSettings, own: ProducerSettings, choice: Choice
) -> int:
    for refused in islice(read(kafka, own, choice), choice.limit):
        print(json.dumps(_described(refused)) if given.json else _line(refused))
    return 0


def _group(
    given: argparse.Namespace, kafka: KafkaSettings, own: ProducerSettings, choice: Choice
) -> int:
    groups = grouped(islice(read(kafka, own, choice), choice.limit))
    for group in groups:
        if given.json:
            print(json.dumps({name: getattr(group, name) for name in group.__struct_fields__}))
        else:
            span = f"{_time(group.first_ms)} to {_time(group.last_ms)}"
            print(f"{group.events:>8,}  {group.code:<18}  {_shown(group.publisher):<20}  {span}")
            print(f"{'':>10}e.g. {_shown(group.example)}")
    if not groups and not given.json:
        print("nothing was refused" + (" that is so" if choice != Choice() else ""))
    return 0


def _replay(
    given: argparse.Namespace, kafka: KafkaSettings, own: ProducerSettings, choice: Choice
) -> int:
    path: Path = given.checkpoint or Path("var") / f"rejects-sent-{kafka.prefix}.json"
    topic = full_name(kafka.prefix, REJECTS)
    memory = sent_again.load(path, topic, topic_id(kafka, own, REJECTS), wall_clock_ms())
    counts: Counter[str] = Counter()
    again: Counter[str] = Counter()
    if given.dry_run:
        for _ in sendable(read(kafka, own, choice), memory, choice, counts, again):
            pass
        _sum_up(given, None, counts, again)
        return SOME_REFUSED_AGAIN if counts[Prospect.REFUSED_AGAIN] else 0
    sent_again.save(
        path, memory
    )  # a place that cannot be written to is told before anything is sent

    def keep(known: Memory) -> None:
        sent_again.save(path, known)

    with on_signals() as stop, Sender(kafka, own) as sender:
        refused = read(kafka, own, choice, lambda: stop.wait(0))
        found = sendable(refused, memory, choice, counts, again)
        sent = send_again(found, sender, memory, keep, wall_clock_ms)
    _sum_up(given, sent, counts, again)
    return 0 if stop.signal_number is None else BY_SIGNAL + stop.signal_number


_Action = Callable[[argparse.Namespace, KafkaSettings, ProducerSettings, Choice], int]
_ACTIONS: Mapping[str, _Action] = {"list": _list, "group": _group, "replay": _replay}


def sendable(
    found: Iterable[Refused],
    memory: Memory,
    choice: Choice,
    counts: Counter[str],
    again: Counter[str],
) -> Iterator[Refused]:
    """Those to be sent, as many as asked for; counts all up to there by what would become of them."""
    return islice(_judged(found, memory, choice, counts, again), choice.limit)


def _judged(
    found: Iterable[Refused],
    memory: Memory,
    choice: Choice,
    counts: Counter[str],
    again: Counter[str],
) -> Iterator[Refused]:
    given: set[str] = set()  # not confirmed yet, so not in the memory
    for refused in found:
        what, code = prospect(refused, wall_clock_ms())
        if memory.has(refused) or refused.digest in given:
            what = Prospect.SENT_BEFORE
        counts[what] += 1
        if what is Prospect.REFUSED_AGAIN:
            again[str(code)] += 1
        asked_for = what is Prospect.NOT_TO_BE_JUDGED_HERE and choice.code is not None
        if what is Prospect.PASSES or asked_for:
            given.add(refused.digest)
            yield refused


def _sum_up(
    given: argparse.Namespace, sent: int | None, counts: Counter[str], again: Counter[str]
) -> None:
    by_prospect = {what.value: counts[what] for what in Prospect}
    by_code = dict(sorted(again.items()))
    if given.json:
        print(json.dumps({"sent": sent, **by_prospect, "codes": by_code}))
        return
    told = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in by_prospect.items() if n)
    codes = ", ".join(f"{code} {n:,}" for code, n in by_code.items())
    print(f"{sum(counts.values()):,} refused: {told or 'none'}" + (f" ({codes})" if codes else ""))
    if sent is not None:
        print(f"sent and confirmed {sent:,}", file=sys.stderr)


def _described(refused: Refused) -> dict[str, object]:
    headers = refused.headers
    return {
        "partition": refused.partition,
        "offset": refused.offset,
        "refused_ms": refused.at_ms,
        **{name: getattr(headers, name) for name in headers.__struct_fields__},
    }


def _line(refused: Refused) -> str:
    headers = refused.headers
    source = f"{headers.source_topic}/{headers.source_partition}/{headers.source_offset}"
    return f"{_time(refused.at_ms)}  {source}  {_shown(headers.publisher)}  {headers.code}: {_shown(headers.detail)}"


def _shown(text: str) -> str:
    """Text that others wrote, safe for a terminal."""
    return text if text.isprintable() else ascii(text)


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
