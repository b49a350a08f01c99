"""`python -m monitoring ui`: Evidently's own pages over all snapshots of the reports."""

import argparse
import os
import sys
from pathlib import Path

from monitoring.settings import MonitoringSettings
from monitoring.whole import PORT_MAX, whole
from monitoring.workspace import FOLDER
from stream_app.contract.settings import BadSettings, KafkaSettings


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "ui",
        help="serve the Evidently workspace of the reports to a browser on this machine",
        description="Serves the snapshots of all reports on the loopback address until Ctrl-C. It"
        " knows no password: expose it through something that does. Sends no usage data.",
        epilog="Exit status: 2 wrong input; 3 cannot listen there; 130 stopped by Ctrl-C.",
    )
    command.add_argument(
        "--port", type=whole(1, PORT_MAX), default=8001, metavar="N", help="default 8001"
    )
    command.add_argument("--out", type=Path, help="folder of reports (setting report_dir)")
    command.set_defaults(run=_run)


def _run(given: argparse.Namespace, _kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    workspace = (given.out or Path(settings.report_dir)) / FOLDER
    if not workspace.is_dir():
        raise BadSettings(f"no workspace in {workspace}: run python -m monitoring report first")
    print(f"ui: http://127.0.0.1:{given.port}/, in some seconds", file=sys.stderr, flush=True)
    os.environ["DO_NOT_TRACK"] = "1"  # before Evidently is imported
    from evidently.ui.service.app import run_local

    run_local(host="127.0.0.1", port=given.port, workspace=str(workspace))
    raise KeyboardInterrupt  # nothing else makes it return, and it keeps the Ctrl-C to itself
