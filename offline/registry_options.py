"""Options of the commands that change or show what is registered. Parses; does nothing."""

import argparse
from collections.abc import Callable
from pathlib import Path

from offline import command_line, trail_command
from offline.replay_options import spot
from stream_app.contract.models import Alias, RolloutMode

Add = Callable[[argparse.ArgumentParser], None]
_NAMES = f"a version, or {', '.join(Alias)}"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", add_market: Add) -> None:
    """Add all of them; each is for one market, but `trail`."""
    for name, options, told in (
        ("promote", _promote, "let a version serve that passed its gate"),
        ("rollback", _rollback, "return to the champion before"),
        ("rollout", _rollout, "try a challenger: in shadow, or on a share"),
        ("retire", _retire, "take a version out of use for good"),
        ("versions", _versions, "what there is, what serves, what is noted"),
        ("card", _card, "the model card of a version: a page, and Markdown"),
        ("reproduce", _reproduce, "make a version again: is it the same?"),
        ("lineage", _lineage, "from data to answers, and back: list and picture"),
    ):
        command = command_line.add(commands, name, told)
        add_market(command)
        options(command)
    trail_command.options(
        command_line.add(commands, "trail", "what was done to the models, by whom and why")
    )


def add_deed(command: argparse.ArgumentParser, reason: str) -> None:
    """Why and by whom: the trail keeps it."""
    command.add_argument("--reason", default=reason, help="is kept; default: %(default)s")
    command.add_argument("--by", metavar="WHO", help="is kept; default: the user's name here")


def _promote(command: argparse.ArgumentParser) -> None:
    command.add_argument("--version", metavar="V", help="default: the challenger")
    command.add_argument(
        "--reviewed", metavar="REASON", help="why a version that the audit holds may be served"
    )
    command.add_argument(
        "--without-gate",
        metavar="REASON",
        help="why a version may be served that did not pass its gate, as a market's first one",
    )
    add_deed(command, "promoted by hand")
    _add_dry_run(command)


def _rollback(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--leave", metavar="V", help="only if this is the champion; done before, nothing is told"
    )
    add_deed(command, "rolled back by hand")
    _add_dry_run(command)


def _rollout(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--mode",
        required=True,
        choices=[mode.value for mode in RolloutMode],
        help="off: nothing; shadow: it scores all, unseen; canary, ab: it answers a share",
    )
    command.add_argument(
        "--share",
        type=share,
        metavar="X",
        help="of the listings, above 0 to 1; default: 0.1 as canary, 0.5 in ab",
    )
    command.add_argument("--version", metavar="V", help="default: the challenger there is")
    add_deed(command, "rolled out by hand")
    _add_dry_run(command)


def _retire(command: argparse.ArgumentParser) -> None:
    command.add_argument("--version", metavar="V", required=True, help=_NAMES)
    command.add_argument(
        "--remove-files",
        action="store_true",
        help="take its files out of the store, too, if nobody else needs them and it never served",
    )
    add_deed(command, "retired by hand")
    _add_dry_run(command)


def _versions(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--repair",
        action="store_true",
        help="set MLflow's champion and previous to what housing.models says, as after a command "
        "that died between the two",
    )


def _card(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--version",
        metavar="V",
        default=Alias.CHAMPION.value,
        help=f"{_NAMES}; default: champion",
    )
    command.add_argument("--out", type=Path, metavar="FOLDER", help="default: var/cards/<market>")


def _reproduce(command: argparse.ArgumentParser) -> None:
    command.add_argument("version", metavar="VERSION", help="as `versions` names it")
    command.add_argument(
        "--file",
        type=Path,
        action="append",
        default=[],
        metavar="F",
        help="where a file that was trained on lies now; again for each, in the order of then; "
        "default: where it lay",
    )


def _lineage(command: argparse.ArgumentParser) -> None:
    of = command.add_mutually_exclusive_group(required=True)
    of.add_argument(
        "--version",
        metavar="V",
        help=f"where it comes from and what it was used for; {_NAMES}",
    )
    of.add_argument("--feature", metavar="NAME", help="which versions read it")
    of.add_argument(
        "--data",
        metavar="SHA256",
        help="which versions were trained on these rows; its beginning will do",
    )
    of.add_argument(
        "--offset",
        type=spot,
        metavar="PARTITION:OFFSET",
        help="which versions were trained on this event of housing.events",
    )
    command.add_argument(
        "--out", type=Path, metavar="FILE.svg", help="a version's lineage as a picture, too"
    )


def _add_dry_run(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dry-run", action="store_true", help="change nothing, tell nobody; show what would be"
    )


def share(text: str) -> float:
    """A share above 0, up to 1."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a number above 0, up to 1, is wanted")
    return found
