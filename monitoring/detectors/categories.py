"""A text that was never there: a new flat model, a type in another spelling, per market.

Idea. The texts of a field that has few of them are counted. One that is not among the first
events' texts and comes again and again is told once. Names (streets, ids) are too many to be
categories, and are left alone.
"""

from dataclasses import dataclass, field

from monitoring.detectors.finding import Cause, Event, Finding

WARM_UP = 1_000  # events with the field
NAMES_MAX = 100  # more are no categories
SEEN_MIN = 10  # a typing error comes once
WITHIN = 5_000  # events: what comes rarer than 2 in 1,000 moves no figure


@dataclass
class Texts:
    """The texts of one field."""

    n: int = 0
    known: set[str] = field(default_factory=set)
    fresh: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # times, since n, since ms

    def update(self, text: str, at_ms: int) -> tuple[int, int, int] | None:
        """Take in a text; tell how often a new one came, since which event and when."""
        self.n += 1
        if text in self.known or len(self.known) >= NAMES_MAX or len(self.fresh) >= NAMES_MAX:
            return None
        if self.n <= WARM_UP:
            self.known.add(text)
            return None
        times, since_n, since_ms = self.fresh.get(text, (0, self.n, at_ms))
        if self.n - since_n > WITHIN:
            times, since_n, since_ms = 0, self.n, at_ms
        self.fresh[text] = times + 1, since_n, since_ms
        if times + 1 < SEEN_MIN:
            return None
        self.known.add(text)
        return self.fresh.pop(text)


class CategoryWatch:
    """All texts of one market."""

    def __init__(self, fields: tuple[str, ...] = ("property_type", "model")) -> None:
        self._texts = {name: Texts() for name in fields}

    def update(self, event: Event) -> list[Finding]:
        """Take in one event; tell the categories that are new with it."""
        found = []
        for name, texts in self._texts.items():
            text = event.fields.get(name)
            seen = texts.update(text, event.at_ms) if isinstance(text, str) else None
            if seen is not None:
                found.append(_finding(event, name, str(text), seen, texts.n))
        return found


def _finding(event: Event, name: str, text: str, seen: tuple[int, int, int], now_n: int) -> Finding:
    times, since_n, since_ms = seen
    return Finding(
        cause=Cause.CATEGORY,
        market=event.market,
        segment=f"field={name} value={text}",
        value=times / (now_n - since_n + 1),
        baseline=0.0,
        n=times,
        since_ms=since_ms,
        seen_ms=event.at_ms,
        likely=f"{event.publisher} and others call a kind of home {text!r}: the model does not know it",
    )
