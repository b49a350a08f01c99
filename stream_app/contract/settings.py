"""Text to settings. Knows no environment and no file: callers pass what they read.

A setting is named `HOUSING_<SECTION>_<NAME>`; in a TOML file it stands as `name`
under `[section]`. The environment wins over the file.
"""

import tomllib
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

ROOT = "HOUSING_"
SECTIONS = ("KAFKA", "STREAM", "PRODUCERS", "OFFLINE", "MONITORING", "NOTIFY", "BROKER")
CONFIG_FILE = f"{ROOT}CONFIG"  # names the file itself
DEFAULT_FILE = "housing.toml"  # read where it stands and no other is named
# The one name that other tools use too; the same as HOUSING_KAFKA_BOOTSTRAP_SERVERS.
BOOTSTRAP_SERVERS = "KAFKA_BOOTSTRAP_SERVERS"

T = TypeVar("T", bound=Struct)


class BadSettings(ValueError):
    """Every mistake, one per line."""


class Secret(Struct, frozen=True):
    text: str

    def __repr__(self) -> str:
        return "Secret(***)"


class KafkaSettings(Struct, frozen=True):
    """Section KAFKA: shared by all programs."""

    bootstrap_servers: Annotated[str, Meta(min_length=1)] = "127.0.0.1:9092"
    # First part of every topic, group and transactional id: two systems may share a broker.
    prefix: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")] = "housing"


def merged(environment: Mapping[str, str], toml_text: str = "") -> dict[str, str]:
    r"""Put the file's settings under those of the environment.

    >>> merged({"HOUSING_KAFKA_PREFIX": "b"}, '[kafka]\nprefix = "a"')
    {'HOUSING_KAFKA_PREFIX': 'b'}

    Raises
    ------
    BadSettings : no TOML, an unknown section, or a value outside of a section
    """
    try:
        sections = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"settings file: {error}") from None
    given: dict[str, str] = {}
    mistakes = []
    for section, values in sections.items():
        if not isinstance(values, dict):
            mistakes.append(f"settings file: {section} stands outside of a section")
            continue
        for name, value in values.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            given[f"{ROOT}{section.upper()}_{name.upper()}"] = text
    given |= {key: value for key, value in environment.items() if key.startswith(ROOT)}
    if BOOTSTRAP_SERVERS in environment:
        given[f"{ROOT}KAFKA_BOOTSTRAP_SERVERS"] = environment[BOOTSTRAP_SERVERS]
    mistakes += [
        f"{key}: no such section, choose from {', '.join(SECTIONS)}"
        for key in given
        if key != CONFIG_FILE and not key.startswith(tuple(f"{ROOT}{s}_" for s in SECTIONS))
    ]
    if mistakes:
        raise BadSettings("\n".join(mistakes))
    return given


def gathered(environment: Mapping[str, str], read_text: Callable[[str], str]) -> dict[str, str]:
    """All that is set: by the environment, and by the settings file through `read_text`.

    Raises
    ------
    BadSettings : as `merged`; or the file that HOUSING_CONFIG names cannot be read
    """
    named = environment.get(CONFIG_FILE)
    path = named or DEFAULT_FILE
    try:
        toml_text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        if named is None and isinstance(error, FileNotFoundError):
            return merged(environment)
        raise BadSettings(f"settings file {path}: {error}") from None
    return merged(environment, toml_text)


def read(kind: type[T], given: Mapping[str, str], section: str) -> T:
    """Build `kind` from the settings of `section`; name all mistakes at once.

    >>> read(KafkaSettings, {"HOUSING_KAFKA_PREFIX": "test"}, "KAFKA").prefix
    'test'

    Raises
    ------
    BadSettings : a key that does not exist, is missing, or has a value outside its limits
    """
    prefix = f"{ROOT}{section}_"
    fields = {prefix + f.name.upper(): f for f in msgspec.structs.fields(kind)}
    values: dict[str, object] = {}
    mistakes = [f"{key}: missing" for key, f in fields.items() if f.required and key not in given]
    for key in (key for key in given if key.startswith(prefix)):
        if key not in fields:
            mistakes.append(f"{key}: no such setting")
            continue
        try:
            values[fields[key].name] = _parse(given[key], fields[key].type)
        except msgspec.ValidationError as error:
            shown = "***" if fields[key].type is Secret else repr(given[key])
            mistakes.append(f"{key}: {shown}: {error}")
    if mistakes:
        raise BadSettings("\n".join(mistakes))
    return kind(**values)


def _parse(text: str, kind: object) -> object:
    return Secret(text) if kind is Secret else msgspec.convert(text, kind, strict=False)
