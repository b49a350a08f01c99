"""What is kept with a version that was trained: texts in JSON, by file name."""

import argparse
from collections.abc import Sequence

import msgspec

from offline import recipe
from offline.audit import Finding
from offline.dataset import Dataset
from offline.errors import analyse, of_holdout
from offline.shift import Parts
from offline.trail_command import author
from offline.train import Candidate
from stream_app.contract.markets import MARKETS

AUDIT, ERRORS = "audit.json", "errors.json"


def of(
    given: argparse.Namespace,
    data: Dataset,
    candidate: Candidate,
    found: Sequence[Finding],
    parts: Parts,
) -> dict[str, str]:
    """Findings, the split, errors by segment, and how to make it again."""
    errors = analyse(
        of_holdout(candidate.holdout, candidate.holdout_log),
        MARKETS[data.market].currency,
        "the fit without its holdout, on the holdout",
        [candidate.champion.version],
    )
    papers = {
        AUDIT: found,
        ERRORS: errors,
        "split.json": parts,
        "shape.json": candidate.shape,
        recipe.NAME: recipe.write(given, data, candidate, author(given)),
    }
    return {name: _json(paper) for name, paper in papers.items()}


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode()
