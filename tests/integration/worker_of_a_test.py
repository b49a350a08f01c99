"""A retraining worker whose steps are those of step_of_a_test.py.

    worker_of_a_test.py FOLDER [kill|kill:STEP] [wait:STEP] [forgetful]

`forgetful` is the planted fault: what it answers it remembers, and does not read back.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from offline import worker_loop
from offline.alerts_log import AlertsLog
from offline.settings import from_environment
from stream_app.contract.alerts import AnyAlertMessage, AnyRequest, RequestAnswered, WorkStep

STEP = Path(__file__).with_name("step_of_a_test.py")


class Forgetful(AlertsLog):
    """Planted: answers are kept in memory only."""

    def to_end(self) -> list[AnyAlertMessage]:
        return [m for m in super().to_end() if not isinstance(m, RequestAnswered)]


def main() -> None:
    folder, *how = sys.argv[1:]

    def command(
        step: WorkStep, request: AnyRequest, answer: RequestAnswered, now_ms: int
    ) -> Sequence[str]:
        waits = ["wait"] if f"wait:{step}" in how else []
        kills = ["kill"] if {"kill", f"kill:{step}"} & set(how) else []
        return [sys.executable, str(STEP), folder, step, request.request_id, *kills, *waits]

    kafka, own = from_environment()
    own = msgspec.structs.replace(own, worker_logs=folder, worker_again_after_s=0.0)
    alerts = Forgetful(kafka) if "forgetful" in how else AlertsLog(kafka)
    worker = worker_loop.Worker(kafka, own, command, alerts)
    worker.run(worker_loop.stop_on_sigterm(), until_idle="wait" not in "".join(how))


if __name__ == "__main__":
    main()
