"""Sinks against real receivers: what they take, what they say when they do not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.alerting import sinks
from monitoring.alerting.sinks import Away, LogSink, MailSink, Refused, WebhookSink
from monitoring.settings import NotifySettings
from stream_app.contract.settings import BadSettings, Secret
from tests import messages
from tests.fakes import mail_server, webhook
from tests.fakes.mail_server import MailServer
from tests.fakes.webhook import Webhook
from tests.unit.monitoring.alerting.told import notice, numbered

ONE = (notice(messages.alert()),)
NOBODY = 1  # a port that no program has


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook.receiving() as receiver:
        yield receiver


@pytest.fixture
def post() -> Iterator[MailServer]:
    with mail_server.receiving() as receiver:
        yield receiver


def mail_sink(post: MailServer, **changes: object) -> MailSink:
    own = {
        "mail_host": "127.0.0.1",
        "mail_port": post.port,
        "mail_to": "ops@a.example, b@b.example",
    }
    return MailSink(NotifySettings(**own | changes))  # type: ignore[arg-type]


def test_the_log_has_a_line_for_each_parcel(tmp_path: Path) -> None:
    sink = LogSink(tmp_path / "new" / "alerts.jsonl")

    sink.send(ONE)
    sink.send((notice(numbered(1)), notice(numbered(2))))

    lines = (tmp_path / "new" / "alerts.jsonl").read_text().splitlines()
    assert [len(json.loads(line)["notices"]) for line in lines] == [1, 2]


def test_a_log_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    with pytest.raises(Away):
        LogSink(tmp_path).send(ONE)


def test_a_webhook_gets_json_under_its_id(hook: Webhook) -> None:
    WebhookSink(NotifySettings(webhook_url=hook.url)).send(ONE)

    assert [told["alert"] for told in hook.notices()] == ["a-1"]
    assert hook.headers[0]["Idempotency-Key"] == ONE[0].id
    assert hook.headers[0]["X-Housing-Signature"] is None


def test_a_webhook_can_see_that_it_was_us(hook: Webhook) -> None:
    own = NotifySettings(webhook_url=hook.url, webhook_secret=Secret("key"))
    WebhookSink(own).send(ONE)

    assert hook.headers[0]["X-Housing-Signature"] == sinks.signature(b"key", hook.bodies[0])
    assert "key" not in repr(own)


@pytest.mark.parametrize("status", [301, 307, 401, 404, 408, 429, 500, 503])
def test_a_webhook_that_may_take_it_later_is_away(hook: Webhook, status: int) -> None:
    hook.status = status

    with pytest.raises(Away, match=str(status)):
        WebhookSink(NotifySettings(webhook_url=hook.url)).send(ONE)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_webhook_that_does_not_like_what_it_is_told_refuses(hook: Webhook, status: int) -> None:
    hook.status = status

    with pytest.raises(Refused, match=str(status)):
        WebhookSink(NotifySettings(webhook_url=hook.url)).send(ONE)


def test_a_webhook_that_is_not_there_is_away() -> None:
    with pytest.raises(Away, match="127"):
        WebhookSink(NotifySettings(webhook_url=f"http://127.0.0.1:{NOBODY}")).send(ONE)


def test_a_mail_is_really_taken_by_all(post: MailServer) -> None:
    mail_sink(post).send(ONE)

    (mail,) = post.mails()
    assert (
        mail["Subject"]
        == "housing warning: price level, king-county: error up by 6 % on 900 labels"
    )
    assert mail["Message-ID"] == f"<{ONE[0].id}@localhost>"
    assert post.recipients == ["<ops@a.example>", "<b@b.example>"]
    assert "runbook: docs/runbooks/price-level.md" in mail.get_content()


def test_no_publisher_writes_a_header(post: MailServer) -> None:
    evil = messages.alert(segment="publisher=a\r\nBcc: victim@b.example\r\n\r\nhello")

    mail_sink(post).send((notice(evil),))

    (mail,) = post.mails()
    assert mail["Bcc"] is None
    assert post.recipients == ["<ops@a.example>", "<b@b.example>"]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [(b"451 later", Away), (b"452 full", Away), (b"554 no", Refused), (b"552 too large", Refused)],
)
def test_a_mail_server_that_does_not_take_it_says_whether_it_may_later(
    post: MailServer, verdict: bytes, expected: type[Exception]
) -> None:
    post.verdict = verdict

    with pytest.raises(expected):
        mail_sink(post).send(ONE)


@pytest.mark.parametrize(
    "changes", [{"mail_port": NOBODY}, {"mail_starttls": True}, {"mail_user": "ops"}]
)
def test_a_mail_server_that_is_not_there_or_not_as_set_is_away(
    post: MailServer, changes: dict[str, object]
) -> None:
    with pytest.raises(Away, match="127"):
        mail_sink(post, **changes).send(ONE)
    assert post.raw == []


def test_a_sink_without_an_address_is_off() -> None:
    assert [sink.name for sink in sinks.of_settings(NotifySettings())] == ["log"]


@pytest.mark.parametrize(
    "own",
    [
        NotifySettings(log_file=""),
        NotifySettings(mail_host="mail"),
        NotifySettings(mail_to="a@b.example"),
        NotifySettings(webhook_url="http://"),
    ],
)
def test_sinks_that_can_tell_nobody_are_refused(own: NotifySettings) -> None:
    with pytest.raises(BadSettings, match="HOUSING_NOTIFY"):
        sinks.of_settings(own)
