"""Dashboard and alarms are made from the metrics that there are, and the files are current."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics_core import Metric

from stream_app.__main__ import main
from stream_app.shell import alert_rules, dashboards

ROOT = Path(__file__).parents[4]
DEPLOY = ROOT / "deploy"
SUFFIXES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "info": ("_info",),
    "gauge": ("",),
}
BOARD = dashboards.dashboard()
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
EXPRESSIONS += [rule.expression for rule in alert_rules.RULES]


def sampled(metric: Metric) -> list[str]:
    """The names under which a metric's samples are asked for."""
    return [metric.name + suffix for suffix in SUFFIXES[metric.type]]


def unknown(expression: str) -> list[str]:
    """Names of ours in an expression that no worker tells."""
    known = {name for metric in dashboards.definitions().values() for name in sampled(metric)}
    return [name for name in re.findall(r"\bhousing_\w+", expression) if name not in known]


def test_the_files_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "--check", "--out", str(DEPLOY)]) == 0, capsys.readouterr().out


def test_a_file_that_is_out_of_date_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboards", "--out", str(tmp_path)]) == 0
    (tmp_path / alert_rules.FILE).write_text("old", "utf-8")
    capsys.readouterr()

    assert main(["dashboards", "--check", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"out of date: {tmp_path / alert_rules.FILE}\n"


def test_panels_and_alarms_ask_only_for_metrics_that_exist() -> None:
    assert [name for expression in EXPRESSIONS for name in unknown(expression)] == []


@pytest.mark.parametrize("wrong", ["rate(housing_predictions[5m])", "housing_lag_secs > 1"])
def test_a_metric_that_no_worker_tells_is_caught(wrong: str) -> None:
    assert len(unknown(wrong)) == 1


def test_every_metric_has_a_panel() -> None:
    placed = [f"housing_{name}" for names in dashboards.ROWS.values() for name in names]

    assert sorted(placed) == sorted(dashboards.definitions())


def test_the_labels_of_info_metrics_are_those_that_are_told() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for name, labels in dashboards.INFO_LABELS.items():
        (told,) = re.findall(rf"\| `{name}_info` \| gauge \| ([^|]*) \|", operations)
        assert set(labels) == set(told.split(", ")) - {"market"}


def test_panels_have_places_of_their_own_within_the_page() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_panels_have_what_grafana_needs() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    for panel in PANELS:
        assert panel["datasource"] == dashboards.SOURCE
        assert panel["targets"]
        assert panel["description"]
        assert json.dumps(panel)


def test_what_is_provisioned_fits_together() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    sources: Any = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())
    boards: Any = yaml.safe_load((provisioning / "dashboards/housing.yml").read_text())

    assert [source["uid"] for source in sources["datasources"]] == [dashboards.SOURCE["uid"]]
    assert boards["providers"][0]["options"]["path"] == "/etc/grafana/dashboards"


def test_the_rules_are_read_back_as_they_were_meant() -> None:
    (group,) = yaml.safe_load(alert_rules.prometheus())["groups"]

    assert [
        (rule["alert"], rule["expr"], rule["labels"]["severity"]) for rule in group["rules"]
    ] == [(rule.name, rule.expression, rule.severity) for rule in alert_rules.RULES]


def test_the_alarms_stand_in_the_documents() -> None:
    lines = (ROOT / "docs" / "operations.md").read_text("utf-8").splitlines()

    assert [row for row in alert_rules.markdown() if row not in lines] == []


def test_a_runbook_that_a_rule_names_exists() -> None:
    named = [
        path for rule in alert_rules.RULES for path in re.findall(r"docs/[\w/-]+\.md", rule.look_at)
    ]

    assert named
    assert all((ROOT / path).is_file() for path in named)


needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed"
)


def promtool(*told: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *told], capture_output=True, text=True, check=False, timeout=60
    )


@needs_promtool
@pytest.mark.parametrize(("what", "file"), [("rules", "rules.yml"), ("config", "prometheus.yml")])
def test_promtool_finds_no_fault(what: str, file: str) -> None:
    ended = promtool("check", what, str(DEPLOY / "prometheus" / file))

    assert ended.returncode == 0, ended.stdout + ended.stderr


@needs_promtool
def test_promtool_can_read_what_the_panels_ask_for(tmp_path: Path) -> None:
    asked = [target["expr"] for panel in PANELS for target in panel["targets"]]
    rules = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(asked)]
    (tmp_path / "panels.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]})
    )

    ended = promtool("check", "rules", str(tmp_path / "panels.yml"))

    assert ended.returncode == 0, ended.stdout + ended.stderr


def series(late_share: float, refused_a_minute: int) -> dict[str, str]:
    """Half an hour of a worker: 1,000 events a minute; so many of them late, so many refused."""
    late = int(1_000 * late_share)
    return {
        "up": "1+0x30",
        "housing_still_seconds": "0+0x30",
        "housing_lag_events": "0+0x30",
        'housing_latency_seconds_bucket{le="0.5"}': f"0+{1_000 - late}x30",
        'housing_latency_seconds_bucket{le="1"}': "0+1000x30",
        'housing_latency_seconds_bucket{le="+Inf"}': "0+1000x30",
        "housing_latency_seconds_count": "0+1000x30",
        "housing_latency_seconds_sum": f"0+{50 + late}x30",
        "housing_batch_records_sum": "0+1000x30",
        'housing_rejects_total{code="price"}': f"0+{refused_a_minute}x30",
        'housing_predictions_total{market="hdb",step="champion"}': "0+500x30",
        'housing_live_error_log{market="hdb",of="answer"}': "0.1+0x30",
        'housing_live_error_log{market="hdb",of="naive"}': "0.2+0x30",
    }


@needs_promtool
@pytest.mark.parametrize(
    ("late_share", "refused", "firing"),
    [
        (0.0, 0, set()),
        (0.03, 40, set()),
        (0.2, 0, {"AnswersLate"}),
        (0.9, 0, {"AnswersLate", "AnswersSlow"}),
        (0.0, 100, {"Refusals"}),
    ],
    ids=["well", "within limits", "some are late", "most are late", "refusals"],
)
def test_alarms_fire_when_they_are_meant_to(
    late_share: float, refused: int, firing: set[str], tmp_path: Path
) -> None:
    alerts = [
        {"alertname": rule.name, "eval_time": "30m", "exp_alerts": [expected(rule)] * is_firing}
        for rule in alert_rules.RULES
        for is_firing in [int(rule.name in firing)]
    ]
    given = [
        {"series": name, "values": values} for name, values in series(late_share, refused).items()
    ]
    test = {
        "rule_files": [str(DEPLOY / alert_rules.FILE)],
        "tests": [{"interval": "1m", "input_series": given, "alert_rule_test": alerts}],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))

    ended = promtool("test", "rules", str(tmp_path / "test.yml"))

    assert ended.returncode == 0, ended.stdout + ended.stderr


def expected(rule: alert_rules.Rule) -> dict[str, Any]:
    (group,) = yaml.safe_load(alert_rules.prometheus())["groups"]
    (made,) = [one for one in group["rules"] if one["alert"] == rule.name]
    return {"exp_labels": made["labels"], "exp_annotations": made["annotations"]}
