"""Grafana's dashboard, made from the metrics that a worker tells: a panel for each.

What a panel shows follows from the type of its metric and the unit in its name, so a new metric
needs nothing but a place in a row. Not here: when somebody is called (alert_rules.py).
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prometheus_client.metrics_core import Metric

from stream_app.shell import alert_rules
from stream_app.shell.exposition import Exposition
from stream_app.shell.metrics import Meter

FOLDER = Path("deploy")
FILE = "grafana/dashboards/housing-stream.json"
SOURCE = {"type": "prometheus", "uid": "prometheus"}  # as provisioning/datasources names it
ROWS = {
    "Flow": (
        "events",
        "events_marked",
        "lag_events",
        "lag_seconds",
        "still_seconds",
        "overload_level",
        "batch_records",
    ),
    "Answers": ("predictions", "rejects", "latency_seconds", "step_seconds", "commit_seconds"),
    "Truth": ("live_error_log", "live_error_sales", "label_delay_days", "label_coverage_ratio"),
    "Publishers": ("publisher_doubted", "publisher_refused_ratio", "publisher_lag_seconds"),
    "State": (
        "applied_offset",
        "watermark_seconds",
        "state_records",
        "state_bytes",
        "ledger_entries",
        "ledger_expired",
    ),
    "Workers": ("serving", "worker", "uptime_seconds"),
}
# Of the process itself, by prometheus_client.
PROCESS = {
    "CPU": ("rate(process_cpu_seconds_total[5m])", "short"),
    "Memory": ("process_resident_memory_bytes", "bytes"),
}
UNITS = {"seconds": "s", "bytes": "bytes", "ratio": "percentunit", "days": "d"}
# Counted since the log began: its rate says little, the whole is what is asked for.
OF_ALL_TIME = {"housing_label_delay_days"}
MOMENT = "housing_watermark_seconds"  # a time of day, not a length of time
QUANTILES = (0.5, 0.95, 0.99)
WIDTH, HEIGHT, COLUMNS = 8, 8, 3

Json = dict[str, Any]


class _Idle:
    """A worker without a partition: it names every metric and has no sample."""

    NAME = "none"

    @property
    def stage(self) -> "_Idle":
        return self

    def desks(self) -> Sequence[Any]:
        return ()


def definitions() -> dict[str, Metric]:
    """Every metric of a worker, by its name without a suffix."""
    idle = Exposition(_Idle(), Meter(1.0), dict, dict)
    return {metric.name: metric for metric in idle.collect()}


def documents() -> dict[str, str]:
    """What is generated below `deploy`: file name -> text."""
    return {
        FILE: json.dumps(dashboard(), indent=1) + "\n",
        alert_rules.FILE: alert_rules.prometheus(),
    }


def dashboard() -> Json:
    """Give the dashboard, rows and panels in their places."""
    known = definitions()
    panels: list[Json] = [_row("Alarms", 0), _placed(_firing(), 0, 1)]
    top = 1 + HEIGHT
    for title, names in ROWS.items():
        made = [_panel(known[f"housing_{name}"]) for name in names]
        made += [_process(*one) for one in PROCESS.items()] if title == "Workers" else []
        panels.append(_row(title, top))
        panels += [_placed(panel, place, top + 1) for place, panel in enumerate(made)]
        top += 1 + HEIGHT * -(-len(made) // COLUMNS)
    return {
        "uid": "housing-stream",
        "title": "Housing stream",
        "description": "Made by `python -m stream_app dashboards` from the metrics of a worker.",
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "panels": [panel | {"id": number} for number, panel in enumerate(panels, start=1)],
    }


def _panel(metric: Metric) -> Json:
    name = metric.name
    if metric.type == "info":
        return _shown(metric, "table", [(f"max by ({_labels(metric)}) ({name}_info)", "")], "none")
    if metric.type == "histogram":
        return _shown(metric, "timeseries", list(_quantiles(metric)), _unit(name))
    by = _labels(metric, without="partition") if metric.type == "counter" else _labels(metric)
    if metric.type == "counter":
        expression, unit = f"sum by ({by}) (rate({name}_total[5m]))", "ops"
    elif name == MOMENT:
        expression, unit = f"1000 * max by ({by}) ({name})", "dateTimeAsIso"
    else:
        expression, unit = f"max by ({by}) ({name})", _unit(name)
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", ") if label)
    return _shown(metric, "timeseries", [(expression, legend)], unit)


def _quantiles(metric: Metric) -> Iterator[tuple[str, str]]:
    name, by = metric.name, _labels(metric, without="partition")
    groups = ", ".join(filter(None, ("le", by)))
    buckets = f"{name}_bucket" if name in OF_ALL_TIME else f"rate({name}_bucket[5m])"
    for quantile in QUANTILES:
        legend = f"{quantile:.0%} {{{{{by}}}}}" if by else f"{quantile:.0%}"
        yield f"histogram_quantile({quantile}, sum by ({groups}) ({buckets}))", legend


def _labels(metric: Metric, without: str = "") -> str:
    labels: Sequence[str] = getattr(metric, "_labelnames", ())
    if metric.type == "info":
        labels = (*labels, *INFO_LABELS[metric.name])
    return ", ".join(label for label in labels if label != without)


# An info metric names its labels only where it has a sample.
INFO_LABELS = {
    "housing_serving": ("champion", "corrector", "previous", "challenger"),
    "housing_worker": ("stage", "feature_set"),
}


def _unit(name: str) -> str:
    return UNITS.get(name.rsplit("_", 1)[-1], "short")


def _shown(metric: Metric, kind: str, queries: Sequence[tuple[str, str]], unit: str) -> Json:
    title = metric.name.removeprefix("housing_").replace("_", " ")
    return _of(title.capitalize(), metric.documentation, kind, queries, unit)


def _process(title: str, query: tuple[str, str]) -> Json:
    expression, unit = query
    return _of(
        title, "Of each worker's process.", "timeseries", [(expression, "{{instance}}")], unit
    )


def _firing() -> Json:
    queries = [('ALERTS{alertstate="firing"}', "")]
    return _of("Firing", "Empty while all is well.", "table", queries, "none")


def _of(title: str, what: str, kind: str, queries: Sequence[tuple[str, str]], unit: str) -> Json:
    targets = [
        {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": expr, "legendFormat": legend}
        | ({"instant": True, "format": "table"} if kind == "table" else {})
        for place, (expr, legend) in enumerate(queries)
    ]
    return {
        "type": kind,
        "title": title,
        "description": what,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": targets,
    }


def _row(title: str, top: int) -> Json:
    place = {"x": 0, "y": top, "w": WIDTH * COLUMNS, "h": 1}
    return {"type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _placed(panel: Json, place: int, top: int) -> Json:
    down, across = divmod(place, COLUMNS)
    at = {"x": WIDTH * across, "y": top + HEIGHT * down, "w": WIDTH, "h": HEIGHT}
    return panel | {"gridPos": at}
