"""With which policy a partition's step ran, and from which offset on: as activations tell.

What was late, and what the ledger had forgotten, depends on the policy; so a replay of a
log that was served takes each event in with the one that held then. A log that was never
served, a file, has the default. Not here: the models that served (stages/lineups.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from stream_app.contract import wire
from stream_app.contract.models import Policy
from stream_app.stages.step import Record, Serving

Policies = Mapping[str, Policy]  # by market; one that is not named has the default
BY_DEFAULT: Policies = MappingProxyType({})


class PolicySince(Struct, frozen=True):
    """A market's policy in a partition, from an offset on."""

    from_offset: int
    market: str
    policy: Policy


def spans(activations: Iterable[bytes | None]) -> list[PolicySince]:
    """Where a policy changed, offsets rising, from one partition's `housing.activations`."""
    found: list[PolicySince] = []
    now: dict[str, Policy] = {}
    for value in activations:
        change = wire.decode_activated(value or b"")
        if now.get(change.market) != change.policy:
            now[change.market] = change.policy
            found.append(PolicySince(change.from_offset, change.market, change.policy))
    return found


def along(
    records: Iterable[Record], changes: Sequence[PolicySince]
) -> Iterator[tuple[Record, Policies]]:
    """Each record of the partition, offsets rising, with what held for it."""
    coming = list(reversed(changes))
    policies = BY_DEFAULT
    for record in records:
        while coming and coming[-1].from_offset <= record.offset:
            change = coming.pop()
            policies = {**policies, change.market: change.policy}
        yield record, policies


def serving(policies: Policies) -> dict[str, Serving]:
    """What a step takes that has policies and no models."""
    return {market: Serving(policy=policy) for market, policy in policies.items()}
