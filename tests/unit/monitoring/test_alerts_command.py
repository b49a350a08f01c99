"""`alerts list`, `ack` and `snooze`: what is shown, what is written, what is refused."""

import json
from collections.abc import Iterable

import pytest

from monitoring import __main__ as program
from monitoring import alerts_command
from monitoring.alerting import book as books
from monitoring.alerting import topic
from monitoring.alerts_command import UnknownAlert
from stream_app.contract.alerts import AlertAcknowledged, AlertSnoozed, AnyAlertMessage
from stream_app.contract.settings import KafkaSettings
from tests import messages
from tests.builders import DAY_MS, HOUR_MS

OPEN = messages.alert(fingerprint="abcdef01")
OVER = messages.alert(fingerprint="abcdef99", market="hdb")
SAID: tuple[AnyAlertMessage, ...] = (OPEN, OVER, messages.resolved(fingerprint=OVER.fingerprint))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[AnyAlertMessage]:
    """The topic holds SAID; what is written comes here."""
    told: list[AnyAlertMessage] = []

    def tell(_kafka: KafkaSettings, messages: Iterable[AnyAlertMessage]) -> None:
        told.extend(messages)

    monkeypatch.setattr(topic, "read", lambda _kafka: iter(SAID))
    monkeypatch.setattr(topic, "tell", tell)
    return told


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["abcdef01", "abcdef99"]),
        (["--open"], ["abcdef01"]),
        (["--market", "hdb"], ["abcdef99"]),
        (["--market", "all"], []),
    ],
    ids=["all", "open", "of a market", "of no market"],
)
def test_what_is_listed(
    options: list[str],
    expected: list[str],
    written: list[AnyAlertMessage],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert program.main(["alerts", "list", "--json", *options]) == 0

    listed = json.loads(capsys.readouterr().out)["alerts"]
    assert sorted(each["id"] for each in listed) == expected


def test_what_was_told_last_stands_first_whatever_its_clock_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker's alert of today, then one of a market that is replayed, years ago by its time."""
    days = {"abcdef01": 20_000, "abcdef02": 16_000, "abcdef03": 18_000}
    told = [messages.alert(fingerprint=name, raised_ms=day * DAY_MS) for name, day in days.items()]
    monkeypatch.setattr(topic, "read", lambda _kafka: iter(told))

    program.main(["alerts", "list", "--json"])

    listed = json.loads(capsys.readouterr().out)["alerts"]
    assert [each["id"] for each in listed] == ["abcdef03", "abcdef02", "abcdef01"]


def test_a_person_reads_where_each_alert_stands(
    written: list[AnyAlertMessage], capsys: pytest.CaptureFixture[str]
) -> None:
    program.main(["alerts", "list"])

    out = capsys.readouterr().out
    assert "abcdef01" in out
    assert "resolved" in out


def test_an_acknowledgement_is_written(written: list[AnyAlertMessage]) -> None:
    assert program.main(["alerts", "ack", "abcdef0", "--by", "Ann"]) == 0

    (note,) = written
    assert isinstance(note, AlertAcknowledged)
    assert (note.fingerprint, note.acknowledged_by) == ("abcdef01", "Ann")


def test_a_snooze_is_written_with_its_end(written: list[AnyAlertMessage]) -> None:
    assert program.main(["alerts", "snooze", "abcdef01", "--for", "4h", "--by", "Ann"]) == 0

    (note,) = written
    assert isinstance(note, AlertSnoozed)
    assert note.until_ms - note.snoozed_ms == 4 * HOUR_MS


def test_a_dry_run_writes_nothing(
    written: list[AnyAlertMessage], capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["alerts", "ack", "abcdef01", "--by", "Ann", "--dry-run"]) == 0

    assert written == []
    assert "would be acknowledged by Ann" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nobody", "no alert has an id"),
        ("abcdef9", "is resolved"),
        ("abc", "at least 6 letters"),
        ("", "at least 6 letters"),
    ],
)
def test_an_id_that_is_nobodys_is_wrong_input(
    name: str,
    why: str,
    written: list[AnyAlertMessage],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert program.main(["alerts", "ack", name, "--by", "Ann"]) == 2

    assert why in capsys.readouterr().err
    assert written == []


def test_an_id_that_two_alerts_have_is_refused() -> None:
    two = [messages.alert(fingerprint="abcdef01"), messages.alert(fingerprint="abcdef02")]

    with pytest.raises(UnknownAlert, match="2 alerts"):
        alerts_command.find(books.of_log(two), "abcdef")


@pytest.mark.parametrize("span", ["", "4", "h", "0h", "-1h", "4w", "31d", "99999d", "4 h", "٤h"])
def test_a_span_that_is_none_is_refused(span: str) -> None:
    with pytest.raises(SystemExit) as refused:
        program.main(["alerts", "snooze", "abcdef01", "--by", "Ann", "--for", span])
    assert refused.value.code == 2


def test_the_help_names_the_limits_of_a_span_for_the_parser_takes_a_minus_for_an_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        program.main(["alerts", "snooze", "--help"])

    assert (
        "--for SPAN  how long, such as 30m, 4h or 2d: above 0, at most 30d"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(SystemExit) as refused:
        program.main(["alerts", "ack", "abcdef01", "--by", name])
    assert refused.value.code == 2
