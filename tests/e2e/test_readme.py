"""What the README tells a publisher to type works, line by line."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytestmark = [pytest.mark.broker, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
ANSWERED_WITHIN_S = 90


@pytest.fixture
def scorer(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "stream_app", "supervise"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    yield process
    process.terminate()
    process.wait(30)


def _code() -> str:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def test_ten_lines_send_a_listing_and_read_its_price(
    environment: Mapping[str, str], scorer: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    program = tmp_path / "publish.py"
    program.write_text(_code())

    done = subprocess.run(
        [sys.executable, str(program)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=ANSWERED_WITHIN_S,
    )

    # Nothing was sold yet: no price, and the answer says why.
    assert scorer.poll() is None
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("None None None degraded ['no_champion', 'no_regional_sales']\n")


def test_every_file_and_folder_that_the_readme_names_is_there() -> None:
    text = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_.]*)`", text)

    made_by_a_run = "var/"
    missing = [
        name
        for name in {*links, *named}
        if not name.startswith(made_by_a_run) and not (ROOT / name).exists()
    ]

    assert missing == []
