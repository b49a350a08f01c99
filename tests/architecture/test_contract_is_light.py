"""A publisher's machine can import the contract quickly, and nobody loads what is not needed."""

import subprocess
import sys
from collections.abc import Callable

from tests.architecture import tree

HEAVY = {
    "faust",
    "sklearn",
    "river",
    "skops",
    "pandas",
    "numpy",
    "scipy",
    "evidently",
    "mlflow",
    "kafka",
    "aiokafka",
    "confluent_kafka",
    "asyncio",
}
MODULES = [
    tree.shown(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for path in tree.sources("stream_app/contract")
]


def python(program: str) -> str:
    """What a new interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=tree.ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_the_contract_imports_nothing_heavy() -> None:
    imported = python(f"import sys, {', '.join(MODULES)}\nprint(*sys.modules)").split()

    assert "stream_app.contract.wire" in imported
    assert HEAVY & set(imported) == set()


def test_importing_the_stream_app_starts_nothing() -> None:
    imported = python("import sys, stream_app\nprint(*sys.modules)").split()

    assert [name for name in imported if name.startswith("stream_app")] == ["stream_app"]


def test_the_time_to_import_the_contract_is_told(tell: Callable[[str], None]) -> None:
    took_s = float(
        python(
            "import time; started = time.perf_counter()\n"
            f"import {', '.join(MODULES)}\n"
            "print(time.perf_counter() - started)"
        )
    )

    tell(f"importing the contract took {took_s * 1000:.0f} ms (bar: 100 ms)")
    assert took_s > 0


def test_a_worker_loads_no_pandas() -> None:
    imported = python(
        "import os, sys; os.environ['HOUSING_STREAM_BATCH_MAX'] = '0'  # ends before it connects\n"
        "from stream_app.__main__ import main\n"
        "main(['worker', '--stage', 'scorer'])\n"
        "print(*sys.modules)"
    ).split()

    assert "sklearn" in imported
    assert "pandas.core" not in imported
