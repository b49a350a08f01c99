"""`python -m offline gate`: its options, and what it does. What is judged, and how: docs/gate.md."""

import argparse
from collections.abc import Sequence

import msgspec

from offline import criteria, events, gate, log
from offline.gate_evidence import Question, gather
from offline.log import Partition
from offline.progress import say, told
from offline.promote import PASSED
from offline.registry import Registry
from offline.settings import OfflineSettings
from stream_app.contract.spans import DAY_MS


def run(
    given: argparse.Namespace, own: OfflineSettings, partitions: Sequence[Partition]
) -> dict[str, object]:
    """Judge a version, and keep the verdict with it. Whoever serves goes on as before.

    Raises
    ------
    WrongInput : what was asked for cannot be done
    """
    limits = criteria.shipped() if given.criteria is None else criteria.of_file(given.criteria)
    delay_days = events.label_delay_days(given)
    asked = Question(given.market, given.version, delay_days * DAY_MS)
    verdict = gate.decide(gather(log.merged(partitions), asked, own, say, told()), limits)
    for finding in verdict.findings:
        say(f"{'passed' if finding.passed else 'FAILED':>6}  {finding.criterion}: {finding.reason}")
    paper = {
        **msgspec.to_builtins(verdict),
        "reasons": verdict.reasons,
        "reason": "; ".join(verdict.reasons),
        "criteria": msgspec.to_builtins(limits),
        "label_delay_days": delay_days,
    }
    Registry(own, given.market).keep_verdict(
        verdict.version,
        PASSED if verdict.passed else str(paper["reason"]),
        verdict.champion,
        msgspec.json.format(msgspec.json.encode(paper)).decode(),
    )
    return {name: value for name, value in paper.items() if name not in ("segments", "criteria")}
