"""A comparison as a table for people, in markdown. Chooses and shows; computes nothing."""

from collections.abc import Callable, Iterator

from offline.compare import Compared, Comparison

Cell = Callable[[Compared], str]


def _money(name: str) -> Cell:
    """Mean and spread over the folds."""
    return lambda each: f"{each.mean[name]:,.0f} ± {each.spread[name]:,.0f}"


def _share(name: str) -> Cell:
    return lambda each: f"{each.mean[name]:.1%} ± {each.spread[name]:.1%}"


def _serving(each: Compared) -> str:
    return "yes" if each.promotable else f"no: {'; '.join(each.objections)}"


def _cost(each: Compared) -> str:
    if each.cost is None:
        return "not reached"
    cost = each.cost
    memory = "" if cost.peak_mb is None else f", {cost.peak_mb:,.0f} MB"
    return (
        f"{each.mean['fit_s']:.1f} s{memory} to fit; {cost.bundle_bytes / 1e6:.2f} MB; "
        f"{cost.ms_alone:.2f} ms, {cost.ms_batch:.4f} ms"
    )


_COLUMNS: dict[str, Cell] = {
    "kind": lambda each: f"`{each.name}`",
    "MAE": _money("mae"),
    "RMSE": _money("rmse"),
    "R2": lambda each: f"{each.mean['r2']:.3f} ± {each.spread['r2']:.3f}",
    "MAPE": _share("mape"),
    "MdAPE": _share("mdape"),
    "bias": lambda each: f"{each.mean['bias']:+.1%} ± {each.spread['bias']:.1%}",
    "within 10 %": _share("within_10"),
    "answer's MAE": _money("answer_mae"),
    "answer's MdAPE": _share("answer_mdape"),
    "train gap": lambda each: f"{each.mean.get('train_gap', 0.0):+.0%}",
    "fit, size, a row alone and in a batch": _cost,
    "a scorer takes it": _serving,
}


def markdown(found: Comparison, command: str) -> str:
    """The table, the command above it, what its kinds are below."""
    return "\n".join(_lines(found, command)) + "\n"


def _lines(found: Comparison, command: str) -> Iterator[str]:
    judged = ", ".join(f"{homes:,}" for homes in found.folds)
    yield f"### {found.market}"
    yield from ("", f"`{command}`", "")
    yield (
        f"{found.rows:,} sales; homes judged per fold: {judged}. Skew of the price "
        f"{found.price_skew or 0.0:.1f}, of its logarithm {found.log_price_skew or 0.0:.1f}: "
        "all kinds model the logarithm."
    )
    yield from ("", f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|")
    for each in found.compared:
        if each.folds:
            yield f"| {' | '.join(cell(each) for cell in _COLUMNS.values())} |"
    yield ""
    for each in found.compared:
        left_out = "" if each.folds else "; not reached, the time was up"
        yield f"- `{each.name}`: {each.about}{left_out}"
