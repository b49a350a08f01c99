"""Settings of the stream app; the only place here that reads the environment."""

import os
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from stream_app.contract import settings as text
from stream_app.contract.models import LatenessH, LedgerDays, LedgerEntries, Policy
from stream_app.contract.settings import KafkaSettings


class StreamSettings(Struct, frozen=True):
    """Section STREAM."""

    # A transaction costs about 3 ms whatever it holds, a model call little more for
    # hundreds of rows than for one; above some hundreds only the delay grows.
    batch_max: Annotated[int, Meta(ge=1, le=10_000)] = 500
    # How long a dead worker keeps its partitions. The broker takes no less than 6.
    session_timeout_s: Annotated[float, Meta(ge=6, le=60)] = 10.0
    # A worker that stands still this long, with something to do, is started anew. Longer than
    # what is no fault: Faust grants a rebalance 60 s, and the opening of partitions 90.
    stall_s: Annotated[float, Meta(gt=0)] = 120.0
    model_store: str = "var/models"  # folder of <sha256>.skops
    trusted_key: str = ""  # Ed25519 public key, hex; empty: from trusted_key_file
    trusted_key_file: str = "var/keys/signing.pub"
    report_every_s: Annotated[float, Meta(gt=0)] = 10.0  # counts in the log
    # Where /health, /ready and /metrics are. They know counts and versions, and no password.
    http_host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    # 0: a free one, told in the log: several workers share a machine. Name one for a scraper.
    http_port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    # Events behind from which on it answers without reasons; at twice as many the challenger
    # scores no listing beside, at an eighth all is as before. A worker takes some thousand a second.
    overload_lag: Annotated[int, Meta(ge=1)] = 20_000
    log_level: Literal["info", "debug"] = "info"  # debug: a line for each prediction, with its ids
    chaos: str = ""  # faults to inject, for tests: see shell/chaos.py
    # What follows changes what the step comes to: reasons in contract/models.py, Policy.
    listing_late_h: LatenessH = Policy().listing_late_h
    sale_late_h: LatenessH = Policy().sale_late_h
    correction_late_h: LatenessH = Policy().correction_late_h
    withdrawal_late_h: LatenessH = Policy().withdrawal_late_h
    ledger_days: LedgerDays = Policy().ledger_days
    ledger_entries: LedgerEntries = Policy().ledger_entries

    def policy(self) -> Policy:
        """What goes into the step, and with it into `housing.activations`."""
        return Policy(**{name: getattr(self, name) for name in Policy.__struct_fields__})


def from_environment() -> tuple[KafkaSettings, StreamSettings]:
    """Read both sections from the environment and the settings file.

    Raises
    ------
    BadSettings : any mistake, or HOUSING_CONFIG names a file that cannot be read
    """
    given = text.gathered(os.environ, read_file)
    return text.read(KafkaSettings, given, "KAFKA"), text.read(StreamSettings, given, "STREAM")


def read_file(path: str) -> str:
    """The settings file's text."""
    return Path(path).read_text(encoding="utf-8")
