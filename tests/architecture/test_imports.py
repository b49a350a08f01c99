"""The import contracts hold, and each of them can fail: one planted violation per contract."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.architecture import tree

LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

# Contract -> (module, what is planted into it). The import is the first that the contract forbids.
PLANTED: Mapping[str, tuple[str, str]] = {
    "shell > stages > scoring > core > contract": ("stream_app.core.region", "stream_app.stages"),
    "core reads like the pipeline": ("stream_app.core.windows", "stream_app.core.region"),
    "contract, top down": ("stream_app.contract.ids", "stream_app.contract.wire"),
    "stages, top down": ("stream_app.stages.step", "stream_app.stages.learner"),
    "contract and core touch neither the world nor a model library": (
        "stream_app.contract.markets",
        "random",
    ),
    "scoring and stages do no I/O": ("stream_app.scoring.interval", "socket"),
    "the four programs meet on topics, never by import": ("producers", "monitoring"),
    "stream_app stands alone": ("stream_app.shell", "mlflow"),
    "a publisher needs only the contract": ("producers", "stream_app.core"),
    "monitoring needs only the contract": ("monitoring", "stream_app.scoring"),
    "the demo drives programs from outside": ("demo", "offline"),
    "nobody imports the stream app's shell or command line": ("offline", "stream_app.__main__"),
    "the bench drives programs from outside": ("bench", "monitoring"),
    "nobody imports the bench": ("demo", "bench"),
    "peers know nothing of ours": ("bench.peers", "producers"),
}
# Containers in which a new module must declare its place.
EXHAUSTIVE = ("stream_app", "stream_app.core", "stream_app.contract", "stream_app.stages")


def lint(folder: Path) -> tuple[int, str]:
    """Exit status and output of lint-imports for the packages under `folder`."""
    done = subprocess.run(
        [LINT_IMPORTS, "--no-cache"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "500", "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def copied(folder: Path) -> Path:
    """The packages and their contracts, in a folder where they may be spoilt."""
    for package in tree.PACKAGES:
        shutil.copytree(
            tree.ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(tree.ROOT / "pyproject.toml", folder)
    return folder


def file_of(folder: Path, module: str) -> Path:
    path = folder.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def contracts() -> tuple[Mapping[str, object], ...]:
    settings = tomllib.loads((tree.ROOT / "pyproject.toml").read_text("utf-8"))
    return tuple(settings["tool"]["importlinter"]["contracts"])


def test_the_import_contracts_hold() -> None:
    status, told = lint(tree.ROOT)

    assert status == 0, told


def test_every_contract_has_a_planted_violation() -> None:
    assert set(PLANTED) == {contract["name"] for contract in contracts()}


@pytest.fixture(scope="module")
def told_of_planted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All violations planted at once: building the graph is what takes the time."""
    folder = copied(tmp_path_factory.mktemp("planted"))
    for module, planted in PLANTED.values():
        path = file_of(folder, module)
        path.write_text(f"{path.read_text('utf-8')}\nimport {planted}\n", "utf-8")
    status, told = lint(folder)
    assert status == 1, told
    return told.partition("Broken contracts")[2]


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_import_is_caught(contract: str, told_of_planted: str) -> None:
    module, planted = PLANTED[contract]
    own_part = told_of_planted.partition(f"\n{contract}\n---")[2].partition("\n---")[0]

    assert f"{module} -> {planted} (l." in own_part


def test_a_module_without_a_declared_place_is_caught(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    for container in EXHAUSTIVE:
        (folder / container.replace(".", "/") / "helpers.py").touch()

    status, told = lint(folder)

    assert status == 1
    assert sum(line.strip().endswith(".helpers") for line in told.splitlines()) == len(
        EXHAUSTIVE
    ), told


def test_these_containers_are_the_exhaustive_ones() -> None:
    found = [contract["containers"] for contract in contracts() if contract.get("exhaustive")]

    assert found == [[container] for container in EXHAUSTIVE]
