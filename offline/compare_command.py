"""`compare`: kinds of models on the same folds, as a table, as JSON and in MLflow."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from offline.faults import WrongInput
from offline.progress import say
from offline.search_options import add_search

if TYPE_CHECKING:
    from offline.compare import Compared, Comparison
    from offline.dataset import Dataset
    from offline.settings import OfflineSettings


class NoSuchCandidate(WrongInput):
    """There is no kind of model of that name."""


def add_options(command: argparse.ArgumentParser) -> None:
    """What is particular to this command."""
    command.add_argument(
        "--candidates",
        type=lambda text: text.split(","),
        metavar="A,B",
        help="which kinds; default: all, the cheapest first",
    )
    add_search(command, before="no fit")
    command.add_argument("--out", type=Path, metavar="FILE", help="the table as markdown, too")


def run(
    given: argparse.Namespace,
    own: OfflineSettings,
    data: Dataset,
    names: Sequence[str],
    asked: str,
) -> dict[str, object]:
    """Compare the kinds of these names, keep the runs, and show.

    Raises
    ------
    NotEnough : a fold has too few rows on a side
    """
    from offline import compare, compare_table

    seed = own.seed if given.seed is None else given.seed
    found = compare.run(data, names, given.folds, seed, given.processes, given.budget_s, say)
    table = compare_table.markdown(found, asked)
    if given.out is not None:
        given.out.write_text(table, "utf-8")
    result: dict[str, object] = {
        "market": found.market,
        "rows": found.rows,
        "folds": found.folds,
        "price_skew": found.price_skew,
        "log_price_skew": found.log_price_skew,
        "mlflow_run": _keep(own, found, data, seed, table),
    }
    if not given.json:
        return result | {"table": f"\n{table}"}
    told = [msgspec.to_builtins(c) | {"promotable": c.promotable} for c in found.compared]
    return result | {"candidates": told}


def names(given: Sequence[str] | None) -> list[str]:
    """Those of the kinds that are asked for; None: all.

    Raises
    ------
    NoSuchCandidate : names those that there are
    """
    from offline.candidates import KINDS

    wrong = [name for name in given or () if name not in KINDS]
    if wrong:
        raise NoSuchCandidate(f"--candidates: no {wrong[0]!r}; there are {', '.join(KINDS)}")
    return [name for name in KINDS if given is None or name in given]


def _keep(own: OfflineSettings, found: Comparison, data: Dataset, seed: int, table: str) -> str:
    """One run for the comparison, one below it for each kind; the number of the first."""
    from offline import tracking
    from offline.dataset import sha256

    of_all = {"seed": seed, "rows": found.rows, "data_sha256": sha256(data)}
    with tracking.run(own, f"compare-{found.market}", "compare") as parent:
        parent.log(of_all | tracking.versions(), {"price_skew": found.price_skew})
        parent.log_text(table, "table.md")
        for each in found.compared:
            with parent.child(each.name) as child:
                child.log({"about": each.about, "promotable": each.promotable}, _metrics(each))
                child.log_text(msgspec.json.encode(each).decode(), "compared.json")
    return parent.run_id


def _metrics(each: Compared) -> dict[str, float | None]:
    cost = {} if each.cost is None else msgspec.structs.asdict(each.cost)
    return (
        {f"{name}_mean": value for name, value in each.mean.items()}
        | {f"{name}_spread": value for name, value in each.spread.items()}
        | cost
    )
