"""Where parcels go: a log of JSON lines, a webhook, a mail server. Each takes one, or says why not.

Each takes a parcel at least once: when the answer is lost on the way, it is sent again, under
the same id. Nothing is tried again here; that is the notifier's business.
"""

import hashlib
import hmac
import http.client
import json
import os
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from monitoring.alerting import notices
from monitoring.alerting.notices import Parcel
from monitoring.settings import NotifySettings
from stream_app.contract.settings import BadSettings

# What is wrong with the parcel itself; all else may be mended at the receiver, and is tried again.
_CONTENT_REFUSED = frozenset({400, 413, 422})
_MAIL_CONTENT_REFUSED = frozenset({552, 554})
_ANSWER_BYTES_MAX = 65_536
_NAME = socket.gethostname()  # asking for our full name may take longer than the mail
# A subject in one line: some readers show the space where it was folded.
_MAIL_POLICY = SMTP.clone(max_line_length=300)


class Away(Exception):
    """It was not taken, and may be later; the text says why."""


class Refused(Exception):
    """It will never be taken: the receiver does not like what it says."""


class Sink(Protocol):
    """One receiver."""

    name: str

    def send(self, parcel: Parcel) -> None:
        """Return when it was taken. Raise Away or Refused."""


def of_settings(own: NotifySettings) -> list[Sink]:
    """All that have an address.

    Raises
    ------
    BadSettings : none has, or a mail server without anybody to write to
    """
    if bool(own.mail_host) != bool(own.mail_to):
        raise BadSettings("HOUSING_NOTIFY_MAIL_HOST and HOUSING_NOTIFY_MAIL_TO go together")
    found: list[Sink] = []
    if own.log_file:
        found.append(LogSink(Path(own.log_file)))
    if own.webhook_url:
        found.append(WebhookSink(own))
    if own.mail_host:
        found.append(MailSink(own))
    if not found:
        raise BadSettings("no sink: set HOUSING_NOTIFY_LOG_FILE, _WEBHOOK_URL or _MAIL_HOST")
    return found


class LogSink:
    """A line of JSON for each parcel, on disk before it counts as taken."""

    name = "log"

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, parcel: Parcel) -> None:
        line = json.dumps(notices.payload(parcel)) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise Away(str(error)) from None


class WebhookSink:
    """POST of JSON. Follows no redirection: whoever moves it says so in the settings."""

    name = "webhook"

    def __init__(self, own: NotifySettings) -> None:
        self._address = urlsplit(own.webhook_url)
        if not self._address.hostname:
            raise BadSettings(f"HOUSING_NOTIFY_WEBHOOK_URL: {own.webhook_url!r} names no host")
        self._secret = own.webhook_secret.text.encode()
        self._timeout_s = own.timeout_s

    def send(self, parcel: Parcel) -> None:
        body = json.dumps(notices.payload(parcel)).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": notices.id_of(parcel)}
        if self._secret:
            headers["X-Housing-Signature"] = signature(self._secret, body)
        try:
            status = self._post(body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise Away(f"{self._address.netloc}: {str(error) or type(error).__name__}") from None
        if status in _CONTENT_REFUSED:
            raise Refused(f"{self._address.netloc} answers {status}")
        if not 200 <= status < 300:
            raise Away(f"{self._address.netloc} answers {status}")

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        host, port = self._address.hostname or "", self._address.port
        secure = self._address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(host, port, timeout=self._timeout_s)
        query = f"?{self._address.query}" if self._address.query else ""
        try:
            connection.request("POST", (self._address.path or "/") + query, body, headers)
            answer = connection.getresponse()
            answer.read(_ANSWER_BYTES_MAX)
            return answer.status
        finally:
            connection.close()


def signature(secret: bytes, body: bytes) -> str:
    """What X-Housing-Signature holds.

    >>> signature(b"key", b"{}")[:19]
    'sha256=a777724d943e'
    """
    return f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"


class MailSink:
    """Plain text, one mail for each parcel; the Message-ID is made of its id."""

    name = "mail"

    def __init__(self, own: NotifySettings) -> None:
        self._own = own

    def send(self, parcel: Parcel) -> None:
        own = self._own
        try:
            with smtplib.SMTP(own.mail_host, own.mail_port, _NAME, own.timeout_s) as server:
                if own.mail_starttls:
                    server.starttls(context=ssl.create_default_context())
                if own.mail_user:
                    server.login(own.mail_user, own.mail_password.text)
                server.send_message(self._mail(parcel))
        except smtplib.SMTPDataError as error:
            words = f"{own.mail_host} answers {error.smtp_code}"
            kind = Refused if error.smtp_code in _MAIL_CONTENT_REFUSED else Away
            raise kind(words) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Away(f"{own.mail_host}: {notices.clean(str(error))}") from None

    def _mail(self, parcel: Parcel) -> EmailMessage:
        mail = EmailMessage(_MAIL_POLICY)
        mail["Subject"] = notices.subject(parcel)
        mail["From"] = self._own.mail_from
        mail["To"] = self._own.mail_to
        mail["Message-ID"] = f"<{notices.id_of(parcel)}@{self._own.mail_from.rpartition('@')[2]}>"
        mail.set_content(notices.body(parcel))
        return mail
