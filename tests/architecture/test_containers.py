"""The containers keep to what the contract and the design say: pinned, limited, not root."""

import re
from typing import Any

import pytest
import yaml

from stream_app.contract.topics import RECORD_BYTES_MAX
from tests.architecture import tree
from tests.integration.brokers import IMAGE

ONCE = {"topics", "history", "champion", "replay"}
ONLY_SHOWS = {"tail"}
# They serve nobody: what stops them ends them, and they are started anew. That they do something
# is told by what they write, and watched on the ops page.
ENDS_WHEN_UNWELL = {"watcher", "conditions", "notifier", "jobs", "worker"}

Service = dict[str, Any]
COMPOSITION: dict[str, Any] = yaml.safe_load((tree.ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Service] = COMPOSITION["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "kafka"}


def test_kafka_takes_records_as_large_as_the_contract_allows() -> None:
    assert SERVICES["kafka"]["environment"]["KAFKA_MESSAGE_MAX_BYTES"] == RECORD_BYTES_MAX


def test_compose_and_tests_run_the_same_kafka() -> None:
    assert SERVICES["kafka"]["image"] == IMAGE


def test_only_the_loopback_address_is_published() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_limited_and_gains_no_rights(name: str) -> None:
    service = SERVICES[name]

    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_none_of_our_services_writes_beside_its_volumes(name: str) -> None:
    assert OURS[name]["read_only"] is True


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE - ONLY_SHOWS - ENDS_WHEN_UNWELL))
def test_every_service_that_stays_has_a_probe(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


def test_a_plain_up_asks_for_no_setting() -> None:
    """A value demanded by `:?` is asked for before profiles are looked at, and by `down`, too."""
    assert not re.search(r"\$\{\w+:?\?", (tree.ROOT / "docker-compose.yml").read_text())


def test_the_private_key_is_with_those_who_train_alone() -> None:
    holders = [n for n, s in SERVICES.items() if any("keys:" in v for v in s.get("volumes", []))]

    assert holders == ["champion", "worker"]


def test_dashboards_start_only_when_asked_for_and_mount_what_is_there() -> None:
    shown = [n for n, s in SERVICES.items() if s.get("profiles") == ["dashboards"]]
    mounted = [v.split(":")[0] for n in shown for v in SERVICES[n]["volumes"] if v.startswith(".")]

    assert shown == ["prometheus", "grafana"]
    assert mounted
    assert all((tree.ROOT / path).is_dir() for path in mounted)


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_ours_or_of_one_version(name: str) -> None:
    assert re.fullmatch(r"housing-stream:local|[a-z/]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])


def test_prometheus_asks_the_port_that_the_workers_answer_at() -> None:
    (scrape,) = yaml.safe_load((tree.ROOT / "deploy/prometheus/prometheus.yml").read_text())[
        "scrape_configs"
    ]
    (found,) = scrape["dns_sd_configs"]
    told = {SERVICES[n]["environment"]["HOUSING_STREAM_HTTP_PORT"] for n in found["names"]}

    assert told == {found["port"]}


def test_conditions_asks_every_worker_by_its_own_name() -> None:
    """The name of a service with two containers is one of them, or the other, at each look."""
    asked = SERVICES["conditions"]["environment"]["HOUSING_MONITORING_WORKERS"].split(",")
    pages = {
        f"{COMPOSITION['name']}-{name}-{n}:{service['environment']['HOUSING_STREAM_HTTP_PORT']}"
        for name, service in SERVICES.items()
        if "HOUSING_STREAM_HTTP_PORT" in service.get("environment", {})
        for n in range(1, 1 + service["deploy"].get("replicas", 1))
    }

    assert set(asked) == pages


def test_the_default_stays_small() -> None:
    asked_for = {name for name, service in SERVICES.items() if "profiles" in service}

    assert {name for name in SERVICES if name not in asked_for} == ONCE | ONLY_SHOWS | {
        "kafka",
        "scorer",
        "learner",
        "archiver",
    }


@pytest.mark.parametrize("name", [name for name in OURS if "housing" in OURS[name]["image"]])
def test_every_folder_that_a_service_writes_to_is_made_in_the_image(name: str) -> None:
    """A named volume takes over the owner of the folder that the image has in its place."""
    image = (tree.ROOT / "Dockerfile").read_text()
    places = [volume.split(":")[1] for volume in OURS[name].get("volumes", [])]

    assert [place for place in places if place.removeprefix("/app/") not in image] == []


def test_the_image_is_pinned_and_its_user_is_not_root() -> None:
    lines = (tree.ROOT / "Dockerfile").read_text().splitlines()

    assert [line for line in lines if line.startswith("FROM")] == ["FROM python:3.11-slim-bookworm"]
    assert re.fullmatch(r"USER (?!root|0\b)\w+", lines[-1])
