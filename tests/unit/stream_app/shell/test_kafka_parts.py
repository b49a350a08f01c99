"""The lock file of Kafka's jars, and which Java will do."""

import re

import pytest

from stream_app.shell.kafka_parts import LOCK_FILE, java_version, locked_jars


def test_every_locked_jar_is_whole_and_there_once() -> None:
    jars = locked_jars(LOCK_FILE.read_text("utf-8"))

    assert len({jar.file_name for jar in jars}) == len(jars) == 46
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert "kafka_2.13-4.1.0.jar" in {jar.file_name for jar in jars}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "25" 2025-09-16 LTS', 25),
        ('java version "1.8.0_202"', 8),
        ("command not found", 0),
    ],
    ids=["debian", "no minor", "before 9", "no java"],
)
def test_the_version_is_read_from_what_java_prints(text: str, version: int) -> None:
    assert java_version(text) == version
