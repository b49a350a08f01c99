"""`python -m monitoring page`: options, and what they do."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from monitoring import archive_command
from monitoring.page import guard
from monitoring.settings import MonitoringSettings
from stream_app.contract.settings import BadSettings, KafkaSettings

HOST, PORT = "127.0.0.1", 8770
PORT_MAX = 65_535
NOTES = """\
It reads the archive and the reports, and writes nothing but the daily figures beside the archive
(rollup.json) and, when a button is confirmed, one record on housing.alerts.

Anybody on this machine may look and press. For an address that others reach, set
HOUSING_MONITORING_PAGE_TOKEN (16 letters at least), and HOUSING_MONITORING_PAGE_HOSTS to the
names it is reached by; put TLS before it.

exit status: 0 stopped by SIGTERM; 2 wrong input, or no token for an open address; 130 Ctrl-C
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    page = commands.add_parser(
        "page",
        help="the ops page: how it stands, since when, why, what to press",
        description="Serves one page for each market until it is stopped.",
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    page.add_argument("--host", default=HOST, help=f"default: {HOST}, this machine only")
    page.add_argument("--port", type=_port, default=PORT, help=f"default: {PORT}")
    page.add_argument("--dir", type=Path, help="archive folder (setting archive_dir)")
    page.add_argument("--reports", type=Path, help="folder of reports (setting report_dir)")
    page.set_defaults(run=_page)


def _page(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    guard.checked(given.host, settings.page_token)
    root = archive_command.existing(given.dir or Path(settings.archive_dir))
    import uvicorn  # takes half a second, and no other command needs it

    from monitoring.alerting import topic
    from monitoring.page import app
    from monitoring.page.known import Places, Reader, wall_ms

    places = Places(root, given.reports or Path(settings.report_dir), kafka.prefix)
    reader = Reader(places, wall_ms)
    names = frozenset(n.strip().lower() for n in settings.page_hosts.split(",") if n.strip())
    doors = app.Doors(settings.page_token, names)
    served = app.create(reader, lambda message: topic.tell(kafka, [message]), doors, wall_ms)
    stop = threading.Event()
    # uvicorn stops by itself, and then gives the signal on to whoever had it before.
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=reader.follow, args=(stop,), name="reader", daemon=True).start()
    print(f"page: http://{given.host}:{given.port}/", file=sys.stderr, flush=True)
    config = uvicorn.Config(
        served,
        given.host,
        given.port,
        log_level="warning",
        server_header=False,
        lifespan="off",  # there is nothing to open, and a Ctrl-C would be told as its fault
    )
    server = uvicorn.Server(config)
    server.run()
    stop.set()
    if not server.started:
        raise BadSettings(f"{given.host}:{given.port}: cannot listen there")
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= PORT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r}: a port of 1 to {PORT_MAX:,} is wanted")
    return int(text)
