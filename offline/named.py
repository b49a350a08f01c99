"""A version as a person names it: by its own name, or by what it is: champion, challenger, previous.

Not here: what those names mean to a worker, see stream_app/contract/models.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from offline import announced
from offline.faults import BrokerAway, NotRegistered
from offline.log import LogUnreadable
from offline.progress import say
from stream_app.contract.models import Alias

if TYPE_CHECKING:
    from offline.registry import Registry
    from stream_app.contract.settings import KafkaSettings


def roles(kafka: KafkaSettings, market: str) -> dict[str, str] | None:
    """Which version each alias names on the broker; None: nobody can say now."""
    try:
        return announced.read(kafka, market).aliases
    except (BrokerAway, LogUnreadable) as error:
        say(f"who serves is not known: {error}")
        return None


def version(
    registry: Registry, market: str, name: str, known_roles: Mapping[str, str] | None
) -> str:
    """The version that is meant: an alias is what serves, if it is known, else MLflow's.

    Raises
    ------
    NotRegistered : the alias names none
    """
    if name not in tuple(Alias):
        return name
    found = (known_roles or {}).get(name) or registry.alias(name)
    if found is None:
        raise NotRegistered(f"{market}: there is no {name}")
    return found
