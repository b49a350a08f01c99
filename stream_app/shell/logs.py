"""Logs as JSON lines on stderr: one object per line, `at` in UTC."""

import json
import logging
import sys
from datetime import UTC, datetime

_BUILT_IN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """What is given as `extra` stands beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _BUILT_IN}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


# What Faust says at every start and rebalance; of consumer.py only Faust's own part speaks.
_TALKATIVE = ("faust", "mode", "aiokafka", "stream_app.shell.consumer")


def start(level: str = "info") -> None:
    """From now on everything goes to stderr as JSON lines; libraries only from warnings on."""
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[to_stderr], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("stream_app").setLevel(level.upper())
