"""`python -m offline preflight-card`: how often a pre-flight says yes and no falsely."""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from offline import preflight_card
from offline.faults import WrongInput
from offline.preflight_card import Day
from offline.progress import say
from stream_app.contract import wire
from stream_app.contract.predictions import Step
from stream_app.contract.spans import DAY_MS


class Answered(NamedTuple):
    """One home that was priced and sold."""

    listed_ms: int
    error_log: float  # |log sale price - log price|


def run(given: argparse.Namespace) -> dict[str, object]:
    """Make the card.

    Raises
    ------
    WrongInput : a file is not what it should be, or the two have too little in common
    """
    days = _days(given.served, given.retrained)
    say(f"homes of {len(days)} days were answered by both: drawing")
    found = preflight_card.card(days, given.draws, given.seed)
    return {"days": len(days), "draws": given.draws, "rows": msgspec.to_builtins(found)}


def _days(served: Path, retrained: Path) -> list[Day]:
    """What both have answered, by the day of the listing, from the first to the last."""
    first, second = (dict(_errors(path)) for path in (served, retrained))
    both = sorted(first.keys() & second.keys(), key=lambda sale: first[sale].listed_ms)
    if not both:
        raise WrongInput(f"{served} and {retrained}: no home that both have answered")
    number = [first[sale].listed_ms // DAY_MS for sale in both]
    cuts = np.searchsorted(number, np.arange(number[0] + 1, number[-1] + 1))
    errors = (np.array([side[sale].error_log for sale in both]) for side in (first, second))
    return [Day(*sides) for sides in zip(*(np.split(each, cuts) for each in errors), strict=True)]


def _errors(path: Path) -> Iterator[tuple[str, Answered]]:
    """What the champion has answered, by home; of a sale its first word counts."""
    for number, line in enumerate(_lines(path), start=1):
        try:
            outcome = wire.decode_outcome(line)
        except msgspec.MsgspecError as error:
            raise WrongInput(f"{path}: line {number}: {error}") from None
        by_model = outcome.step is Step.CHAMPION and not outcome.corrects
        if by_model and outcome.price is not None:
            error_log = abs(math.log(outcome.sale_price / outcome.price))
            yield outcome.listing_id, Answered(outcome.listed_ms, error_log)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as opened:
            yield from opened
    except OSError as error:
        raise WrongInput(f"{path}: {error.strerror}") from None
