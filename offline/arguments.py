"""The command line as a table of options. Parses; does nothing."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from offline import (
    command_line,
    compare_command,
    events,
    parity_command,
    preflight_options,
    requests_options,
    snapshot_command,
    tune_command,
)
from stream_app.contract.markets import MARKETS

_count = command_line.whole(0)


def parser() -> argparse.ArgumentParser:
    """The parser of `python -m offline`."""
    from offline import registry_options

    top = argparse.ArgumentParser(
        prog="python -m offline",
        description="From the event log to a champion: train, judge, promote.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _snapshot(
        command_line.add(commands, "snapshot", "keep a data set as it is; look, compare, check")
    )
    _parity(
        command_line.add(commands, "parity", "are features rebuilt here those that were served?")
    )
    _train(command_line.add(commands, "train", "train a champion and register it as challenger"))
    _backtest(command_line.add(commands, "backtest", "what would have been served, and how good"))
    _eda(command_line.add(commands, "eda", "look at the data: a page with pictures, and JSON"))
    _errors(command_line.add(commands, "errors", "where prices are wrong: a page, and JSON"))
    _ablate(command_line.add(commands, "ablate", "what each feature is worth"))
    _replay(command_line.add(commands, "replay", "serve the log again, as it was or otherwise"))
    _preflight(command_line.add(commands, "preflight", "would a retrained model have done better"))
    preflight_options.card(
        command_line.add(
            commands, "preflight-card", "how often a pre-flight is wrong, on real homes"
        )
    )
    requests_options.worker(
        command_line.add(commands, "worker", "do what is asked on housing.alerts, until stopped")
    )
    requests_options.request(
        command_line.add(commands, "request", "ask the worker for something, or approve it")
    )
    requests_options.requests(command_line.add(commands, "requests", "what was asked, where it is"))
    _gate(
        command_line.add(commands, "gate", "may a version be promoted? the verdict is kept with it")
    )
    _compare(command_line.add(commands, "compare", "kinds of models on the same folds: a table"))
    _tune(command_line.add(commands, "tune", "search for the shape of the trees"))
    registry_options.add(commands, _add_market)
    return top


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options of one command; wrong ones end the program with words."""
    given = parser().parse_args(arguments)
    wants_date = getattr(given, "wants_date", None)
    if wants_date is not None and given.train_to is None and not _is_snapshot(given.events):
        wants_date("--train-to DATE is required: only --events snapshot:DIR has a date of its own")
    return given


def _is_snapshot(events: str | None) -> bool:
    return events is not None and events.startswith("snapshot:")


def _snapshot(command: argparse.ArgumentParser) -> None:
    def add_rows(action: argparse.ArgumentParser) -> None:
        _add_market(action)
        _add_events(action)
        _add_rows(action)

    snapshot_command.options(command, add_rows)


def _parity(command: argparse.ArgumentParser) -> None:
    from offline import registry_options

    _add_market(command)
    _add_processes(command)
    parity_command.options(command, _count, registry_options.share)


def _train(command: argparse.ArgumentParser) -> None:
    from offline import registry_options

    _add_market(command)
    _add_events(command)
    _add_rows(command)
    _add_seed(command)
    command.add_argument(
        "--request",
        metavar="ID",
        help="noted with the version; what was trained for it before is not trained again",
    )
    command.add_argument(
        "--shape",
        metavar="FILE|JSON",
        help="of the trees, as `tune` writes it; default: the best of few on later homes",
    )
    registry_options.add_deed(command, "trained by hand")


def _backtest(command: argparse.ArgumentParser) -> None:
    _add_market(command)
    _add_events(command)
    _add_seed(command)
    _add_serving(command)


def _eda(command: argparse.ArgumentParser) -> None:
    _add_market(command)
    _add_events(command, train_to=False)
    _add_rows(command)
    _add_out(command, "eda")


def _errors(command: argparse.ArgumentParser) -> None:
    _add_market(command)
    _add_events(command)
    _add_rows(command)
    _add_seed(command)
    _add_serving(command)
    command.add_argument(
        "--of",
        choices=("served", "holdout"),
        default="served",
        help="served: the answers of a backtest after --train-to; holdout: a champion trained on "
        "what was sold before, on its own holdout, with the audit of its features",
    )
    _add_out(command, "errors")


def _add_out(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--out", type=Path, metavar="FOLDER", help=f"default: var/{what}/<market>")


def _add_serving(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--retrain",
        choices=("never", "yearly"),
        default="never",
        help="yearly: a new champion each 1 January, of all that was sold by then",
    )
    command.add_argument(
        "--version-delay",
        type=_count,
        default=0,
        metavar="N",
        help="batches until a new corrector version serves, beside the next one; default 0",
    )
    _add_label_delay(command)
    command.add_argument(
        "--redated",
        action="store_true",
        help="such a sale bears the date on which it became known, so it is not late",
    )


def _add_label_delay(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--label-delay-days",
        type=_count,
        default=0,
        metavar="N",
        help="days from when a sale is made to when it becomes known; default %(default)s",
    )


def _ablate(command: argparse.ArgumentParser) -> None:
    _add_market(command)
    _add_events(command)
    _add_rows(command)
    command.add_argument(
        "--seeds", type=_count, default=3, metavar="N", help="draws of rows; default %(default)s"
    )
    command.add_argument(
        "--only", action="append", default=[], metavar="WHAT", help="a feature, or 'group NAME'"
    )
    command.add_argument("--out", type=Path, metavar="FILE", help="the table as markdown, too")


def _preflight(command: argparse.ArgumentParser) -> None:
    _add_market(command)
    _add_events(command, train_to=None)
    command.add_argument(
        "--labels",
        type=_count,
        default=500,
        metavar="N",
        help="how many of the newest mature labels are judged, of four weeks at least; "
        "default: %(default)s",
    )


def _replay(command: argparse.ArgumentParser) -> None:
    from offline import replay_options

    _add_market(command)
    _add_events(command, train_to=None)
    _add_label_delay(command)
    replay_options.add(command)


def _gate(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Serves the log with the champion and with a challenger that has not seen the holdout, and "
        "judges the answers. Exit status: 0 passed, 1 failed, 2 wrong input."
    )
    _add_market(command)
    _add_events(command, train_to=None)
    command.add_argument(
        "--label-delay-days",
        type=_count,
        metavar="N",
        help="days from when a sale is made to when it becomes known; default: 0 for topic and "
        f"archive, whose sales are as late as they came, else {events.RECORDED_AFTER_DAYS}",
    )
    command.add_argument("--version", metavar="V", help="default: the challenger")
    command.add_argument(
        "--criteria",
        type=Path,
        metavar="FILE",
        help="TOML that names every threshold; default: the shipped offline/gate.toml",
    )


def _compare(command: argparse.ArgumentParser) -> None:
    _add_market(command)
    _add_events(command)
    _add_without_source(command)
    _add_seed(command)
    compare_command.add_options(command)


def _tune(command: argparse.ArgumentParser) -> None:
    _add_market(command)
    _add_events(command)
    _add_without_source(command)
    _add_seed(command)
    tune_command.add_options(command)


def _add_market(command: argparse.ArgumentParser) -> None:
    command.add_argument("--market", required=True, choices=sorted(MARKETS))
    command.add_argument(
        "--json", action="store_true", help="the result as one line of JSON on standard output"
    )


def _add_events(command: argparse.ArgumentParser, *, train_to: bool | None = True) -> None:
    """`train_to`: whether it must be given; None: there is no such option."""
    given = command.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "--events",
        metavar="topic|archive|snapshot:DIR|FILE",
        help="'topic': housing.events as it is now; 'archive' (or archive:TOPIC_ID): the same as "
        "archived; a snapshot, for what needs rows and no events; else canonical events, one JSON "
        "line each",
    )
    given.add_argument(
        "--source", metavar="S", help="a source's files, see `python -m producers convert --help`"
    )
    command.add_argument(
        "--file",
        type=Path,
        action="append",
        default=[],
        metavar="F",
        help="a file of the source; may be given again; default: the shipped samples",
    )
    if train_to is None:
        return
    command.add_argument(
        "--train-to",
        type=boundary_ms,
        metavar="DATE",
        help="what was sold before is trained on (eda: looked at; default: all): YYYY-MM-DD (UTC), "
        "or YYYY-MM, that month included; a snapshot has its own",
    )
    command.set_defaults(wants_date=command.error if train_to else None)


def _add_rows(command: argparse.ArgumentParser) -> None:
    """How rows are made of events."""
    _add_processes(command)
    _add_without_source(command)


def _add_without_source(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--without-source",
        action="append",
        default=[],
        metavar="S",
        help="a publisher whose sales and corrections count as not sent; may be given again",
    )


def _add_processes(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--processes",
        type=_count,
        default=0,
        metavar="N",
        help="partitions that are replayed at once; default: one per core",
    )


def _add_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--seed", type=_count, metavar="N", help="of the training; default: the setting"
    )


def boundary_ms(text: str) -> int:
    """First millisecond after what a date bounds.

    >>> boundary_ms("2014-12") == boundary_ms("2015-01-01")
    True
    """
    try:
        if len(text) == len("YYYY-MM"):
            month = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
            years, months = divmod(month.year * 12 + month.month, 12)
            day = month.replace(year=years, month=months + 1)
        else:
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: YYYY-MM-DD or YYYY-MM is wanted") from None
    return int(day.timestamp() * 1000)
