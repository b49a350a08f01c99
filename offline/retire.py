"""Which versions may be retired, and which files nobody needs then. Only decides."""

from collections.abc import Collection, Iterable, Mapping

from offline.faults import Refused
from stream_app.contract.models import Alias

Aliases = Mapping[str, str | None]  # alias -> version


class InUse(Refused):
    """It serves, is tried, or is the way back."""


def refuse(version: str, said: Mapping[str, Aliases]) -> None:
    """Raise if anybody says that the version is champion, challenger or previous.

    Parameters
    ----------
    said : what each of those who know says of the aliases, by name

    Raises
    ------
    InUse : names who says what
    """
    uses = [
        f"{alias} on {who}"
        for who, aliases in said.items()
        for alias in Alias
        if aliases.get(alias) == version
    ]
    if uses:
        raise InUse(f"{version} is {', '.join(uses)}; it stays until another one is")


def needed(files: Iterable[str], others: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """For each of a version's files, which others hold on to it.

    >>> needed(["a.skops", "b.parquet"], {"c2": {"b.parquet"}})
    {'a.skops': [], 'b.parquet': ['c2']}
    """
    return {file: sorted(v for v, theirs in others.items() if file in theirs) for file in files}
