"""`tune`: a random search for the shape of the trees, its best one as a file for `train --shape`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from offline.command_line import whole
from offline.progress import say
from offline.search_options import add_search

if TYPE_CHECKING:
    from offline.dataset import Dataset
    from offline.settings import OfflineSettings
    from offline.shape import Shape
    from offline.tuning import Draw, OnHoldout, Tuned

DRAWS_MAX = 100
SHOWN = 10  # draws, the best first; MLflow has all


def add_options(command: argparse.ArgumentParser) -> None:
    """What is particular to this command."""
    command.add_argument(
        "--draws",
        type=whole(1, DRAWS_MAX),
        default=30,
        metavar="N",
        help=f"shapes to try, {DRAWS_MAX} at most; default %(default)s",
    )
    add_search(command, before="no draw")
    command.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the best shape, as `train --shape` takes it; default: var/tune/<market>.json",
    )


def run(given: argparse.Namespace, own: OfflineSettings, data: Dataset) -> dict[str, object]:
    """Search, keep the runs, write the best shape.

    Raises
    ------
    WrongInput : too few rows, or too short a budget
    """
    from offline import tuning

    seed = own.seed if given.seed is None else given.seed
    found = tuning.run(data, given.draws, given.folds, seed, given.processes, given.budget_s, say)
    out = given.out or Path("var", "tune", f"{given.market}.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(found.best.shape)) + b"\n")
    return {
        "market": found.market,
        "rows": found.rows,
        "folds": found.folds,
        "draws": len(found.draws),
        "asked": found.asked,
        "seed": seed,
        "best": msgspec.to_builtins(found.best),
        "default": msgspec.to_builtins(found.default),
        "answer_gain": gain(found),
        "shape_file": str(out),
        "mlflow_run": _keep(own, found, data, seed),
        "best_draws": [msgspec.to_builtins(draw) for draw in found.draws[:SHOWN]],
    }


def gain(found: Tuned) -> float | None:
    """By what share the best draw's answer is nearer to the holdout's prices than the default's."""
    best, default = found.best.answer.mae, found.default.answer.mae
    return None if best is None or not default else 1 - best / default


def _keep(own: OfflineSettings, found: Tuned, data: Dataset, seed: int) -> str:
    """One run for the search, one below it for each draw; the number of the first."""
    from offline import tracking
    from offline.dataset import sha256

    of_all = {"seed": seed, "rows": found.rows, "data_sha256": sha256(data), "asked": found.asked}
    with tracking.run(own, f"tune-{found.market}", "tune") as parent:
        parent.log(
            of_all | tracking.versions() | _params(found.best.shape),
            {"answer_gain": gain(found)}
            | _metrics("best", found.best)
            | _metrics("default", found.default),
        )
        for draw in found.draws:
            with parent.child(f"draw {draw.number}") as child:
                child.log(_params(draw.shape) | {"trees_by_fold": draw.trees}, _of_draw(draw))
    return parent.run_id


def _params(shape: Shape) -> dict[str, object]:
    return msgspec.structs.asdict(shape)


def _metrics(of: str, judged: OnHoldout) -> dict[str, float | None]:
    return {
        f"{of}_champion_mae": judged.champion.mae,
        f"{of}_answer_mae": judged.answer.mae,
        f"{of}_answer_mdape": judged.answer.mdape,
    }


def _of_draw(draw: Draw) -> dict[str, float | None]:
    names = ("answer_mae", "answer_spread", "champion_mae", "fit_s")
    return {name: getattr(draw, name) for name in names}
