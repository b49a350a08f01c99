"""What an operator is called for, from what workers tell at /metrics. Data, and its two forms.

Not here: alerts on prices and data, which monitoring raises (docs/alerts.md). An expression
must give nothing while all is well, and while nothing happens.
"""

import json
from collections.abc import Iterator
from typing import Literal, NamedTuple

FILE = "prometheus/rules.yml"


class Rule(NamedTuple):
    name: str
    expression: str
    minutes: int  # that it must hold
    severity: Literal["critical", "warning"]
    means: str
    look_at: str


RULES = (
    Rule(
        "WorkerGone",
        "up == 0",
        1,
        "critical",
        "the worker is gone, or frozen",
        "its log; the supervisor",
    ),
    Rule(
        "WorkerStill",
        "housing_still_seconds > 60",
        0,
        "critical",
        "it makes no progress and will end itself",
        "`/health`; the broker",
    ),
    Rule(
        "Behind",
        "housing_lag_seconds > 60",
        5,
        "critical",
        "too few workers, or a flood",
        "`rate(housing_events_total[5m])`; start workers, up to one per partition",
    ),
    Rule(
        "LagUnknown",
        "housing_lag_events != housing_lag_events",
        5,
        "warning",
        "NaN: the broker does not answer this worker",
        "the broker; never scale by it",
    ),
    Rule(
        "AnswersLate",
        "histogram_quantile(0.95, sum by (le) (rate(housing_latency_seconds_bucket[5m]))) > 0.5",
        5,
        "warning",
        "one answer of 20 is late",
        "lag; then `housing_step_seconds`, `housing_commit_seconds`",
    ),
    Rule(
        "AnswersSlow",
        "sum(rate(housing_latency_seconds_sum[5m])) / sum(rate(housing_latency_seconds_count[5m])) > 0.5",
        5,
        "critical",
        "the mean answer is late",
        "lag; start workers",
    ),
    Rule(
        "Refusals",
        "sum(rate(housing_rejects_total[5m])) / sum(rate(housing_batch_records_sum[5m])) > 0.05",
        5,
        "warning",
        "a publisher sends what is refused",
        "`housing_rejects_total` by code; docs/contract/rules.md",
    ),
    Rule(
        "NoChampion",
        # Those of a challenger's arm are as they should be.
        'sum by (market) (rate(housing_predictions_total{step!~"champion|challenger"}[5m])) > 0',
        5,
        "warning",
        "prices without a champion",
        "`housing_serving_info`; `offline promote`",
    ),
    Rule(
        "BrokerSlow",
        "sum(rate(housing_commit_seconds_sum[5m])) / sum(rate(housing_commit_seconds_count[5m])) > 0.1",
        5,
        "warning",
        "the broker is slow",
        "its disk",
    ),
    Rule(
        "PublisherDoubted",
        "max by (publisher, doubt) (housing_publisher_doubted) > 0",
        0,
        "warning",
        "its listings are answered, its sales are not learned from",
        "docs/runbooks/publisher-doubted.md",
    ),
    Rule(
        "WorseThanNaive",
        'max by (market) (housing_live_error_log{of="answer"}) > max by (market) (housing_live_error_log{of="naive"})',
        30,
        "critical",
        "the regional median would have been nearer than the answers",
        "the reports of monitoring; `offline rollback`",
    ),
)


def prometheus() -> str:
    """The rules as Prometheus reads them."""
    lines = ["# Made by `python -m stream_app dashboards`; edit stream_app/shell/alert_rules.py."]
    lines += ["groups:", "  - name: housing-stream", "    rules:"]
    return "\n".join([*lines, *(line for rule in RULES for line in _yaml(rule))]) + "\n"


def markdown() -> Iterator[str]:
    """The rows of the table in docs/operations.md."""
    for rule in RULES:
        held = f" for {rule.minutes} m" if rule.minutes else ""
        expression = rule.expression.replace("|", r"\|")  # else it ends the cell
        yield f"| {rule.name} | `{expression}`{held} | {rule.means} | {rule.look_at} |"


def _yaml(rule: Rule) -> Iterator[str]:
    # Text in JSON's quotes is YAML, whatever is in it.
    yield f"      - alert: {rule.name}"
    yield f"        expr: {json.dumps(rule.expression)}"
    yield f"        for: {rule.minutes}m"
    yield f"        labels: {{severity: {rule.severity}}}"
    yield "        annotations:"
    yield f"          summary: {json.dumps(rule.means)}"
    yield f"          description: {json.dumps('look at: ' + rule.look_at)}"
