"""`python -m offline`: from the event log to a champion that can be trusted. Turns every fault into one clear line."""

import json
import os
import sys
from collections.abc import Sequence

from offline.arguments import parse
from offline.faults import WRONG_INPUT
from offline.shown import lines

FAILED = 1
INTERRUPTED = 130
# On standard error, criterion by criterion; only programs need it again.
TOLD_BEFORE = {"gate": ("findings", "reasons", "reason")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    given = parse(arguments)
    # Before MLflow is imported: it reports home and draws bars otherwise.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # By itself it tries a server that does not answer for some minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    from offline import commands
    from offline.faults import WrongInput
    from offline.progress import say
    from stream_app.contract.settings import BadSettings

    try:
        result = commands.COMMANDS[given.command](given)
    except KeyboardInterrupt:
        say("stopped")
        return INTERRUPTED
    except (BadSettings, WrongInput) as error:
        say(f"offline {given.command}: {error}")
        return WRONG_INPUT
    except _failures() as error:
        say(f"offline {given.command}: {error}")
        return FAILED
    _show(result, command=given.command, as_json=given.json)
    return FAILED if result.get("passed") is False else 0


def _failures() -> tuple[type[Exception], ...]:
    """What is told in one line, though nobody asked for anything wrong."""
    from offline.faults import BrokerAway, Refused
    from stream_app.contract.rejects import ModelRefused

    # To import MLflow takes a second, and who did not has no fault of its.
    loaded = sys.modules.get("mlflow.exceptions")
    of_mlflow = () if loaded is None else (loaded.MlflowException,)
    return (Refused, BrokerAway, ModelRefused, OSError, *of_mlflow)


def _show(result: dict[str, object], *, command: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
        return
    for_people = {k: v for k, v in result.items() if k not in TOLD_BEFORE.get(command, ())}
    print("\n".join(lines(for_people)))


if __name__ == "__main__":
    sys.exit(main())
