"""The command line as a table of options. Parses; does nothing."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from producers.pace import Pace, parse_pace
from producers.refused import BY_THE_LEDGER
from producers.scenario import BadScenario
from producers.selection import Selection
from producers.sources import SOURCES, default_paths
from stream_app.contract.rejects import RejectCode

REJECTS_CODES = f"""\
What would pass now: a rule was changed or a market added since, or the event only lay in the
wrong place. What the ledger refused ({", ".join(BY_THE_LEDGER)}) only the
scorer can judge: it is sent again when asked for with --code. What was too large was not kept.

replay sends the original bytes once, also when they are refused again: FILE remembers each
event that was confirmed, by its bytes; another FILE sends it once more. What a crash makes it
repeat has the same event id, which the scorer counts as a duplicate. With --limit N it sends
the next N. Stopped by Ctrl-C or SIGTERM it confirms what it sent; the same command goes on
from there.

exit status: 0 done; 1 some would be refused again (--dry-run), or not delivered;
  2 wrong input or settings; 130 stopped by Ctrl-C; 143 by SIGTERM
"""
REPLAY_CODES = """\
Events that break a rule are sent as they are, for the scorer to reject with their
original bytes; --refuse keeps them here. A replay stopped by Ctrl-C or SIGTERM
confirms what it sent; with --checkpoint, the same command goes on from there.

exit status: 0 all sent; 1 an event could not be delivered; 2 wrong input or settings;
  130 stopped by Ctrl-C; 143 by SIGTERM
"""


def parser() -> argparse.ArgumentParser:
    """The parser of `python -m producers`."""
    top = argparse.ArgumentParser(
        prog="python -m producers",
        description="Publish home listings and sales: from files, to Kafka, or only look at them.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _convert(
        commands.add_parser(
            "convert",
            help="source files to canonical events, JSON lines",
            description="Write a history as canonical events in order of time, one line each.",
        )
    )
    _replay(
        commands.add_parser(
            "replay",
            help="source files to Kafka, at a chosen speed",
            description="Send a history to the events topic, each event confirmed.",
            epilog=REPLAY_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    _check(
        commands.add_parser(
            "check",
            help="would these lines be accepted, and why not; needs no broker",
            description="Judge events, one in a line, by the scorer's own rules.",
            epilog="exit status: 0 all accepted or repaired; 1 some rejected, or no event; "
            "2 wrong input",
        )
    )
    _rejects(
        commands.add_parser(
            "rejects",
            help="what the scorer refused: look, sum up, send again",
            description="What stands on housing.rejects: the bytes as they came, a code and a reason.",
        )
    )
    return top


def _rejects(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_choice(
        actions.add_parser(
            "list",
            help="one line for each, by partition, oldest first",
            description="Show each reject that the options choose, by partition, the oldest first.",
        )
    )
    _add_choice(
        actions.add_parser(
            "group",
            help="how many by cause and publisher, an example each",
            description="Count the rejects that the options choose, by code and publisher.",
        )
    )
    replay = actions.add_parser(
        "replay",
        help="send again what would pass now",
        description="Judge each reject anew, and send once what is accepted now.",
        epilog=REJECTS_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_choice(replay)
    add = replay.add_argument
    add("--dry-run", action="store_true", help="tell how many would pass now, and send nothing")
    add(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="what was sent again; default: var/rejects-sent-PREFIX.json",
    )


def _add_choice(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    codes = [code.value for code in RejectCode]
    add("--code", choices=codes, metavar="CODE", help=f"only this one of: {', '.join(codes)}")
    add("--publisher", metavar="NAME", help="only this one's")
    add("--since", type=_time_ms, metavar="TIME", help="YYYY-MM-DD or YYYY-MM-DDTHH:MM (UTC)")
    add("--limit", type=_count, metavar="N", help="at most so many")
    add("--json", action="store_true", help="lines of JSON")


def selection(given: argparse.Namespace, seed: int) -> Selection:
    """What the options choose; `seed` is the setting, which an option overrides."""
    if given.truth is not None and given.scenario is None:
        raise BadScenario("--truth tells what --scenario planted: give both")
    return Selection(
        source=given.source,
        paths=tuple(given.file or default_paths(given.source)),
        seed=seed if given.seed is None else given.seed,
        from_ms=given.from_,
        to_ms=given.to,
        limit=given.limit,
        scenario=given.scenario,
    )


def _convert(command: argparse.ArgumentParser) -> None:
    _add_selection(command)
    command.add_argument("--out", type=Path, metavar="FILE", help="instead of standard output")
    command.add_argument(
        "--json",
        action="store_true",
        help="the summary as one line of JSON: on standard output with --out, else on error",
    )


def _replay(command: argparse.ArgumentParser) -> None:
    _add_selection(command)
    add = command.add_argument
    add(
        "--speed",
        type=_pace,
        default=Pace(),
        metavar="N/s|Nx|max",
        help="1000/s (events a second), 500000x (times real time), or max (the default)",
    )
    add("--checkpoint", type=Path, metavar="FILE", help="where to keep the position, to go on")
    add("--refuse", action="store_true", help="keep back events that break a rule")
    add("--json", action="store_true", help="the summary as one line of JSON, the last one")


def _check(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("path", type=Path, metavar="FILE", help="JSON lines, or with --source a CSV; .gz or not")
    add("--source", choices=sorted(SOURCES), help="whose columns the CSV file has")
    add("--quiet", action="store_true", help="only lines that are not accepted as they are")
    add("--json", action="store_true", help="a line of JSON for each line, and one for the sums")


def _add_selection(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    known = "; ".join(f"{name}: {source.what}" for name, source in SOURCES.items())
    add("--source", required=True, choices=sorted(SOURCES), help=f"whose files ({known})")
    add(
        "--file",
        type=Path,
        action="append",
        metavar="FILE",
        help="a .csv or .csv.gz file; may be given again; default: the shipped samples",
    )
    add("--seed", type=_count, metavar="N", help="of the simulated dates; default: the setting")
    add("--from", dest="from_", type=_date_ms, metavar="YYYY-MM-DD", help="first day (UTC)")
    add("--to", type=_date_ms, metavar="YYYY-MM-DD", help="day (UTC) before which it ends")
    add("--limit", type=_count, metavar="N", help="at most so many events")
    add("--strict", action="store_true", help="stop at a row that cannot be read")
    add(
        "--scenario",
        type=Path,
        metavar="FILE",
        help="plant what this file says: price shocks, unit errors, nulls, lateness ...;"
        " docs/monitoring.md has an example",
    )
    add("--truth", type=Path, metavar="FILE", help="write what was planted, as JSON")


def _date_ms(text: str) -> int:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a day such as 2014-12-31 is wanted") from None
    return int(day.timestamp()) * 1000


def _time_ms(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: a time such as 2014-12-31 or 2014-12-31T08:00 (UTC) is wanted"
        ) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _pace(text: str) -> Pace:
    try:
        return parse_pace(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number, 0 or more, is wanted")
    return int(text)
