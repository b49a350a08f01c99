"""Settings are read strictly, and every mistake is told at once."""

from typing import Annotated

import pytest
from msgspec import Meta, Struct

from stream_app.contract.settings import (
    BadSettings,
    KafkaSettings,
    Secret,
    gathered,
    merged,
    read,
)


class OvenSettings(Struct, frozen=True):
    """Some of everything: required, limited, yes or no, secret."""

    place: str
    heat_c: Annotated[int, Meta(ge=20, le=250)] = 180
    fan: bool = False
    rest_s: Annotated[float, Meta(gt=0)] = 0.5
    key: Secret = Secret("")


def test_what_is_not_given_keeps_its_default() -> None:
    assert read(KafkaSettings, {}, "KAFKA") == KafkaSettings("127.0.0.1:9092", "housing")


def test_text_becomes_the_type_of_its_field() -> None:
    given = {
        "HOUSING_STREAM_PLACE": "7",
        "HOUSING_STREAM_HEAT_C": "200",
        "HOUSING_STREAM_FAN": "true",
        "HOUSING_STREAM_REST_S": "1.5",
        "HOUSING_STREAM_KEY": "open",
    }

    assert read(OvenSettings, given, "STREAM") == OvenSettings("7", 200, True, 1.5, Secret("open"))


def test_all_mistakes_are_told_at_once() -> None:
    given = {
        "HOUSING_STREAM_HEAT_C": "300",
        "HOUSING_STREAM_FAN": "perhaps",
        "HOUSING_STREAM_REST_S": "soon",
        "HOUSING_STREAM_COLOUR": "red",
    }

    with pytest.raises(BadSettings) as told:
        read(OvenSettings, given, "STREAM")

    assert str(told.value).splitlines() == [
        "HOUSING_STREAM_PLACE: missing",
        "HOUSING_STREAM_HEAT_C: '300': Expected `int` <= 250",
        "HOUSING_STREAM_FAN: 'perhaps': Expected `bool`, got `str`",
        "HOUSING_STREAM_REST_S: 'soon': Expected `float`, got `str`",
        "HOUSING_STREAM_COLOUR: no such setting",
    ]


def test_settings_of_another_section_are_not_looked_at() -> None:
    given = {"HOUSING_BROKER_PORT": "none", "HOUSING_KAFKA_PREFIX": "two"}

    assert read(KafkaSettings, given, "KAFKA").prefix == "two"


@pytest.mark.parametrize("prefix", ["", "Two", "2", "two.three", "a" * 33])
def test_a_prefix_that_a_topic_cannot_have_is_refused(prefix: str) -> None:
    with pytest.raises(BadSettings, match="HOUSING_KAFKA_PREFIX"):
        read(KafkaSettings, {"HOUSING_KAFKA_PREFIX": prefix}, "KAFKA")


def test_a_secret_never_shows_itself() -> None:
    settings = read(
        OvenSettings, {"HOUSING_STREAM_PLACE": "x", "HOUSING_STREAM_KEY": "hush"}, "STREAM"
    )

    assert "hush" not in repr(settings)
    assert "hush" not in f"{settings.key}"
    assert settings.key.text == "hush"


def test_the_environment_wins_over_the_file() -> None:
    given = merged({"HOUSING_KAFKA_PREFIX": "two"}, '[kafka]\nprefix = "one"\n')

    assert read(KafkaSettings, given, "KAFKA").prefix == "two"


def test_a_file_may_say_numbers_and_yes_or_no_as_toml_does() -> None:
    given = merged({}, '[stream]\nplace = "x"\nheat_c = 90\nfan = true\nrest_s = 2.0\n')

    assert read(OvenSettings, given, "STREAM") == OvenSettings("x", 90, True, 2.0)


def test_the_name_that_other_tools_use_for_the_brokers_is_understood() -> None:
    given = merged({"KAFKA_BOOTSTRAP_SERVERS": "a:1", "HOUSING_KAFKA_BOOTSTRAP_SERVERS": "b:2"})

    assert given == {"HOUSING_KAFKA_BOOTSTRAP_SERVERS": "a:1"}


def test_what_is_not_ours_in_the_environment_is_left_alone() -> None:
    assert merged({"PATH": "/bin", "KAFKA_HEAP_OPTS": "-Xmx1g"}) == {}


def test_the_settings_file_itself_is_named_in_the_environment() -> None:
    assert merged({"HOUSING_CONFIG": "x.toml"}) == {"HOUSING_CONFIG": "x.toml"}


def test_a_misspelt_section_is_told() -> None:
    with pytest.raises(BadSettings) as told:
        merged({"HOUSING_STRAEM_BATCH_MAX": "1"}, "[kakfa]\nprefix = 'a'\n")

    assert [line.partition(":")[0] for line in str(told.value).splitlines()] == [
        "HOUSING_KAKFA_PREFIX",
        "HOUSING_STRAEM_BATCH_MAX",
    ]


def test_a_value_outside_of_a_section_is_told() -> None:
    with pytest.raises(BadSettings, match="prefix stands outside of a section"):
        merged({}, 'prefix = "a"\n')


def test_a_file_that_is_no_toml_is_told() -> None:
    with pytest.raises(BadSettings, match="settings file: "):
        merged({}, "[kafka\n")


def no_file(path: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", path)


def test_a_settings_file_that_nobody_named_need_not_be_there() -> None:
    assert gathered({"HOUSING_KAFKA_PREFIX": "b"}, no_file) == {"HOUSING_KAFKA_PREFIX": "b"}


def test_a_settings_file_that_was_named_must_be_there() -> None:
    with pytest.raises(BadSettings, match=r"settings file mine\.toml: .*No such file"):
        gathered({"HOUSING_CONFIG": "mine.toml"}, no_file)


def test_the_settings_file_is_read_by_the_name_given() -> None:
    files = {"mine.toml": '[kafka]\nprefix = "a"'}

    found = gathered({"HOUSING_CONFIG": "mine.toml"}, files.__getitem__)

    assert read(KafkaSettings, found, "KAFKA").prefix == "a"


def test_a_settings_file_that_is_no_text_is_told() -> None:
    with pytest.raises(BadSettings, match=r"settings file housing\.toml: .*utf-8"):
        gathered({}, lambda path: b"\xff".decode("utf-8"))
