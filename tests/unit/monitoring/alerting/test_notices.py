"""What a receiver is told: all that is known, in lines that nobody else can write."""

import json

import pytest

from monitoring.alerting import notices
from stream_app.contract.alerts import Severity
from tests import messages
from tests.unit.monitoring.alerting.told import notice, numbered


def test_a_notice_says_all_that_is_known() -> None:
    payload = json.dumps(notices.payload([notice(messages.alert(segment="region=a"))]))
    (told,) = json.loads(payload)["notices"]

    assert told["status"] == "open"
    assert (told["value"], told["baseline"], told["n"]) == (0.106, 0.1, 900)
    assert told["segment"] == "region=a"
    assert told["runbook"] == "docs/runbooks/price-level.md"


def test_the_same_telling_has_the_same_id_and_its_end_another() -> None:
    raised = messages.alert()

    assert notice(raised).id == notice(raised).id
    assert notice(raised).id != notice(raised, messages.resolved(resolved_ms=1)).id
    worse = messages.alert(severity=Severity.CRITICAL, raised_ms=1)
    assert notice(raised).id != notice(raised, worse).id


@pytest.mark.parametrize("evil", ["a\r\nBcc: x@y.z", "a\nb", "a\x00b", "a\u2028b", "a\u202eb"])
def test_no_text_writes_a_line_of_its_own(evil: str) -> None:
    told = [notice(messages.alert(summary=evil, segment=evil, cause=evil, market=evil))]

    assert len(notices.subject(told).splitlines()) == 1
    assert not any(line.startswith(("Bcc", "b")) for line in notices.body(told).splitlines())
    assert "\\n" not in json.dumps(notices.payload(told))


def test_texts_are_cut() -> None:
    long = notice(messages.alert(summary="x" * 10_000))

    assert len(notices.subject([long])) <= notices.SUBJECT_CHARS_MAX
    assert len(json.dumps(notices.payload([long]))) < 3_000


def test_a_mail_says_how_to_quieten_it_and_where_to_read_on() -> None:
    text = notices.body([notice(messages.alert())])

    assert "python -m monitoring alerts ack a-1 --by NAME" in text
    assert "runbook: docs/runbooks/price-level.md" in text


def test_a_digest_lists_some_and_counts_the_rest() -> None:
    many = [notice(numbered(n)) for n in range(notices.LISTED_MAX + 7)]

    assert notices.subject(many) == f"housing: alerts: {len(many)} open, 0 resolved"
    assert "... and 7 more" in notices.body(many)
    assert notices.id_of(many).startswith("digest-")


def test_what_a_scorer_leaves_out_is_told_by_its_cause() -> None:
    doubted = notice(messages.alert(cause="publisher doubted: unit", impact=""))
    unknown = notice(messages.alert(cause="another program's", impact=""))

    assert "impact: its homes are priced and marked" in notices.body([doubted])
    assert "impact" not in notices.body([unknown])
