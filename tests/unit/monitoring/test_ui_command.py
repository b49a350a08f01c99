"""Evidently's pages are served until Ctrl-C, which ends them as it ends every command."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

from monitoring.workspace import FOLDER
from tests.waiting import until

ANSWER_S = 60.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def is_served(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def test_ctrl_c_ends_it_with_130_and_a_word(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    port = free_port()
    words = [sys.executable, "-m", "monitoring", "ui", "--out", str(tmp_path), "--port", str(port)]

    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as served:
        try:
            until(lambda: is_served(port), ANSWER_S, "the pages are served")
            served.send_signal(signal.SIGINT)
            _, told = served.communicate(timeout=ANSWER_S)
        finally:
            served.kill()

    assert served.returncode == 130
    assert told.endswith("python -m monitoring: stopped\n")
