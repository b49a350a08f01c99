"""`parity`: options, and a certificate as a file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import version as library_version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from offline import events, log, parallel
from offline.faults import WrongInput
from offline.progress import say, told
from offline.settings import OfflineSettings, from_environment
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import PREDICTIONS

if TYPE_CHECKING:
    from offline.parity import Certificate
    from offline.parity_rows import Sides

_LIBRARIES = ("housing-stream", "msgspec", "numpy")


def options(
    command: argparse.ArgumentParser, count: Callable[[str], int], share: Callable[[str], float]
) -> None:
    """Beside the market; `count` and `share` read a number."""
    command.description = (
        "Rebuild the features of each listing from the log, and compare them to the bit with those "
        "in the predictions that were served. Status 0: all equal. 1: a row differs, or is missing "
        "on a side. The whole log is replayed in any case: a feature depends on all before it."
    )
    command.add_argument(
        "--events",
        choices=events.LOGS,
        default=events.TOPIC,
        help="where events and predictions are: on the broker, or in the archive; default: topic",
    )
    command.add_argument(
        "--from-offset",
        type=count,
        default=0,
        metavar="N",
        help="of the events: only rows of listings from there on are compared; default: all",
    )
    command.add_argument(
        "--sample",
        type=share,
        default=1.0,
        metavar="SHARE",
        help="of the listings, above 0 to 1, always the same ones: 0.001 is one in a thousand",
    )
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="the certificate; default: var/parity/MARKET.json"
    )


def run(given: argparse.Namespace) -> dict[str, object]:
    """Compare, write the certificate, tell what it says."""
    from functools import partial

    from offline.parity import Scope, certify
    from offline.parity_rows import compare_partition

    kafka, own = from_environment()
    scope = Scope(given.market, given.from_offset, given.sample)
    say(f"replaying the events of all markets, comparing those of {given.market}")
    found = parallel.each(
        partial(compare_partition, scope),
        _sides(given, kafka, own),
        given.processes or events.cores(),
        told(),
    )
    libraries = {name: library_version(name) for name in _LIBRARIES}
    certificate = certify(scope, found, given.events, libraries)
    path = given.out or Path("var", "parity", f"{given.market}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(certificate)) + b"\n")
    if certificate.verdict == "nothing to compare":
        raise WrongInput(f"{given.market}: no row was served that can be compared, see {path}")
    return _shown(certificate) | {"certificate": str(path)}


def _sides(given: argparse.Namespace, kafka: KafkaSettings, own: OfflineSettings) -> list[Sides]:
    from offline import archived
    from offline.parity_rows import ServedInArchive, ServedOnTopic, Sides

    if given.events == events.ARCHIVE:
        root = Path(own.archive)
        served = {p.partition: p for p in archived.partitions(root, kafka.prefix, PREDICTIONS)}
        return [
            Sides(events, ServedInArchive(served[events.number]) if events.number in served else ())
            for events in archived.of_archive(root, kafka.prefix)
        ]
    found = log.of_topic(kafka)
    for partition in found:
        first = log.first_offset(kafka, partition.topic, partition.number)
        if first > 0:
            raise log.LogUnreadable(
                f"{partition.topic}[{partition.number}] begins at offset {first}: what was before "
                "is gone, and features cannot be rebuilt without it"
            )
    return [Sides(partition, ServedOnTopic(kafka, partition.number)) for partition in found]


def _shown(certificate: Certificate) -> dict[str, object]:
    counts = {
        name: getattr(certificate, name)
        for name in (
            "compared",
            "equal",
            "different",
            "not_rebuilt",
            "not_served",
            "superseded",
            "not_yet_served",
            "other_feature_set",
        )
    }
    return {
        "market": certificate.market,
        "verdict": certificate.verdict,
        "passed": certificate.verdict == "equal",
        **counts,
        "differences": msgspec.to_builtins(certificate.differences),
        "missing": msgspec.to_builtins(certificate.missing),
        "offsets": {
            str(part.partition): [part.read.first_offset, part.read.end_offset]
            for part in certificate.partitions
        },
        "feature_set": certificate.feature_set,
        "sha256": certificate.sha256,
    }
