"""`python -m monitoring page`: options, and what they do."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from monitoring import archive_command
from monitoring.page import guard
from monitoring.settings import MonitoringSettings
from monitoring.whole import PORT_MAX, whole
from stream_app.contract.counts import counted
from stream_app.contract.settings import BadSettings, KafkaSettings

if TYPE_CHECKING:
    from litestar import Litestar

    from monitoring.page.known import Reader

HOST, PORT = "127.0.0.1", 8770
NOTES = """\
It reads the archive and the reports, and writes nothing but the daily figures beside the archive
(rollup.json) and, when a button is confirmed, one record on housing.alerts.

Anybody on this machine may look and press. For an address that others reach, set
HOUSING_MONITORING_PAGE_TOKEN (16 letters at least), and HOUSING_MONITORING_PAGE_HOSTS to the
names it is reached by; put TLS before it.

exit status: 0 stopped by SIGTERM, or measured; 2 wrong input, or no token for an open address; 130 Ctrl-C
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
    page.add_argument("--port", type=whole(1, PORT_MAX), default=PORT, help=f"default: {PORT}")
    page.add_argument("--dir", type=Path, help="archive folder (setting archive_dir)")
    page.add_argument("--reports", type=Path, help="folder of reports (setting report_dir)")
    page.add_argument(
        "--measure",
        action="store_true",
        help="serve nothing: tell how long the pages of this archive take, and end",
    )
    page.add_argument("--json", action="store_true", help="with --measure: one line of JSON")
    page.set_defaults(run=_page)


def _page(given: argparse.Namespace, kafka: KafkaSettings, settings: MonitoringSettings) -> int:
    guard.checked(given.host, settings.page_token)
    root = archive_command.existing(given.dir or Path(settings.archive_dir))
    from monitoring.alerting import topic
    from monitoring.page import app
    from monitoring.page.known import Places, Reader, wall_ms

    places = Places(root, given.reports or Path(settings.report_dir), kafka.prefix)
    reader = Reader(places, wall_ms)
    names = frozenset(n.strip().lower() for n in settings.page_hosts.split(",") if n.strip())
    doors = app.Doors(settings.page_token, names)
    served = app.create(reader, lambda message: topic.tell(kafka, [message]), doors, wall_ms)
    if given.measure:
        return _measure(served, reader, settings, as_json=given.json)
    return _serve(served, reader, given.host, given.port)


def _measure(
    served: "Litestar", reader: "Reader", settings: MonitoringSettings, *, as_json: bool
) -> int:
    from monitoring.page import measure

    found = measure.measure(served, reader, settings.page_token)
    if as_json:
        print(msgspec.json.encode(found).decode())
        return 0
    print(f"{found.taken_in_s:7.3f} s  to take in {counted(found.manifests, 'manifest')}")
    print(f"{found.looked_s:7.3f} s  to look again, with nothing new")
    for page in found.pages:
        print(f"{page.median_s:7.3f} s  {page.kilobytes:7,.0f} kB  {page.address}")
    return 0


def _serve(served: "Litestar", reader: "Reader", host: str, port: int) -> int:
    import uvicorn  # takes half a second, and no other command needs it

    stop = threading.Event()
    # uvicorn stops by itself, and then gives the signal on to whoever had it before.
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=reader.follow, args=(stop,), name="reader", daemon=True).start()
    print(f"page: http://{host}:{port}/", file=sys.stderr, flush=True)
    config = uvicorn.Config(
        served,
        host,
        port,
        log_level="warning",
        server_header=False,
        lifespan="off",  # there is nothing to open, and a Ctrl-C would be told as its fault
    )
    server = uvicorn.Server(config)
    server.run()
    stop.set()
    if not server.started:
        raise BadSettings(f"{host}:{port}: cannot listen there")
    return 0
