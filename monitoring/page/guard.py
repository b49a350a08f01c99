"""Who may look and press: loopback, or whoever has the token; and under which names. Pure.

A page on the loopback address can still be reached by a page of somebody else's in the same
browser: by a name that is made to point there (so the Host is looked at), or by a form that it
sends here (so every POST carries a token of ours, see app.py).
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Collection

from stream_app.contract.settings import BadSettings, Secret

COOKIE = "ops"
TOKEN_CHARS_MIN = 16  # of random letters; shorter ones are guessed
LOCAL_NAMES = ("localhost",)
_SESSION = b"housing ops page session"


def checked(host: str, token: Secret) -> None:
    """Refuse to be seen by others without a token.

    Raises
    ------
    BadSettings : the address is not loopback and there is no token, or too short a one
    """
    if 0 < len(token.text) < TOKEN_CHARS_MIN:
        raise BadSettings(
            f"HOUSING_MONITORING_PAGE_TOKEN: {len(token.text)} letters,"
            f" at least {TOKEN_CHARS_MIN} are wanted"
        )
    if not is_loopback(host) and not token.text:
        raise BadSettings(
            f"--host {host}: others could see and press; set HOUSING_MONITORING_PAGE_TOKEN first"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def knows_host(header: str | None, names: Collection[str]) -> bool:
    """Whether a Host is ours: an address, which no name server can point elsewhere, or a name we know.

    >>> knows_host("127.0.0.1:8770", ()), knows_host("evil.example:8770", ())
    (True, False)
    """
    if not header:
        return False
    name = _without_port(header)
    if name in LOCAL_NAMES or name in names:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def session(token: Secret) -> str:
    """What the cookie of somebody who has shown the token holds; the token cannot be had from it."""
    return hmac.new(token.text.encode(), _SESSION, hashlib.sha256).hexdigest()


def may_enter(token: Secret, authorization: str | None, cookie: str | None) -> bool:
    """Whether a request shows the token, or the cookie that was given for it."""
    if not token.text:
        return True
    shown = (authorization or "").removeprefix("Bearer ")
    return is_token(token, shown) or _same(cookie or "", session(token))


def is_token(token: Secret, shown: str) -> bool:
    """Compare in constant time."""
    return _same(shown, token.text)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _without_port(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
