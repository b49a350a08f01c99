"""Settings of monitoring: sections MONITORING and NOTIFY, and KAFKA shared by all programs."""

import os
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from stream_app.contract import settings
from stream_app.contract.settings import KafkaSettings, Secret

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(gt=0, le=1)]


class MonitoringSettings(Struct, frozen=True):
    """Section MONITORING."""

    archive_dir: str = "var/archive"
    report_dir: str = "var/reports"
    model_store: str = "var/models"  # drift references lie beside the champions
    # A range is published when one of these is reached. Rows and bytes bound the
    # memory of an archiver (a row in memory takes about 4 kB), age what a reader waits.
    flush_rows: Count = 20_000
    flush_bytes: Count = 32_000_000
    flush_age_s: Seconds = 30.0
    # How long the partitions of a dead archiver wait; 6 s is the least a broker allows.
    session_timeout_s: Annotated[float, Meta(ge=6, le=300)] = 6.0
    # Rows per window that go into a report: enough for the score of a column to move by
    # less than 0.01 between samples, and 2 s of computing.
    sample_rows: Count = 20_000
    sample_seed: int = 7
    # Scores (Wasserstein distance in standard deviations, Jensen-Shannon distance) above
    # this count as drift: an effect size, the same for any number of rows.
    drift_score_max: Share = 0.1
    # A share of unknown values that moves by more than this is told.
    unknown_share_change_max: Share = 0.05
    # A relative rise of the mean |log error| by more than this, beyond chance, is told.
    error_rise_max: Share = 0.05
    rows_min: Count = 50  # fewer rows in a window: no report, but words
    # A field that is unknown in more of the listings than this, and was not before, is told.
    unknown_share_max: Share = 0.05
    # A live error this much above or below the champion's holdout is told: markets differ from
    # one year to the next by a fifth (HDB 2015 to 2019), a leaked label makes it half or double.
    holdout_departure_max: Share = 0.5
    # A report of the schedule takes some 15 s of CPU, also with full samples; a machine with much
    # else to do gives it a tenth of that. What takes more is ended, and told.
    report_memory_mb: Annotated[int, Meta(ge=10, le=1_000_000)] = 2_000
    report_within_s: Seconds = 600.0
    # What is older than that is removed, and so are the oldest beyond that many.
    report_keep_days: Count = 400
    report_keep_runs: Count = 2_000
    # How often a watcher looks at archive and topic: what offline answers waits as long, and
    # what was archived waited for `flush_age_s` already.
    watch_every_s: Seconds = 5.0
    policy_file: str = ""  # criteria of the policy; empty: as shipped (monitoring/policy.toml)
    # Where workers tell of themselves (/metrics): host:port, parted by commas. Their
    # `http_port` must be named for that.
    workers: Annotated[
        str, Meta(pattern=r"^([^\s:,/]+:[0-9]{1,5}(, *[^\s:,/]+:[0-9]{1,5})*)?$")
    ] = ""
    conditions_every_s: Seconds = 15.0  # as often as a scraper asks
    # The archive's newest events are read again only so often: it grows every 30 s at most.
    fields_every_s: Seconds = 60.0
    # The ops page: who shows this may look and press. Empty: this machine only.
    page_token: Secret = Secret("")
    page_hosts: str = ""  # names under which it is reached, parted by commas


class NotifySettings(Struct, frozen=True):
    """Section NOTIFY: where alerts are sent. A sink without an address is off."""

    log_file: str = "var/alerts.jsonl"  # a line of JSON for each parcel; empty: off
    webhook_url: Annotated[str, Meta(pattern=r"^(https?://[^\s]+)?$")] = ""
    webhook_secret: Secret = Secret("")  # signs the body: HMAC-SHA256
    mail_host: str = ""
    mail_port: Annotated[int, Meta(ge=1, le=65_535)] = 25
    mail_starttls: bool = False
    mail_user: str = ""  # empty: no log-in
    mail_password: Secret = Secret("")
    mail_from: Annotated[str, Meta(pattern=r"^[^\s<>,]+@[^\s<>,]+$")] = "housing@localhost"
    # Parted by commas. Empty: no mail.
    mail_to: Annotated[str, Meta(pattern=r"^([^\s<>,]+@[^\s<>,]+(, *[^\s<>,]+@[^\s<>,]+)*)?$")] = ""
    # A receiver that says nothing for this long is away. Mail servers look up names first.
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0
    # Doubles from 1 s up to this: a receiver that is back is seen within a minute.
    retry_most_s: Seconds = 60.0
    # A person reads ten messages in ten minutes, and no eleventh: from then on a digest.
    singles: Count = 10
    window_s: Seconds = 600.0


def notify_from_environment() -> NotifySettings:
    """Read section NOTIFY, as `from_environment` reads the others."""
    return settings.read(NotifySettings, _gathered(), "NOTIFY")


def from_environment() -> tuple[KafkaSettings, MonitoringSettings]:
    """Read the environment, and the settings file that it names or that lies here.

    Raises
    ------
    BadSettings : every mistake, one per line
    """
    given = _gathered()
    return (
        settings.read(KafkaSettings, given, "KAFKA"),
        settings.read(MonitoringSettings, given, "MONITORING"),
    )


def _gathered() -> dict[str, str]:
    return settings.gathered(os.environ, lambda path: Path(path).read_text(encoding="utf-8"))
