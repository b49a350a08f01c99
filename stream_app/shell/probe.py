"""Asks a worker of this machine how it is. Imports little: containers run it every few seconds."""

import http.client

# A worker that is frozen takes the connection and says nothing.
_ANSWER_WITHIN_S = 5.0


class Unwell(Exception):
    """The worker says that it is not well, or says nothing; the text says which."""


def ask(host: str, port: int, page: str) -> str:
    """Ask a worker on this machine for a page; give what it says.

    Raises
    ------
    Unwell : its status is not 200, or nobody answers
    """
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_WITHIN_S)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        text = answer.read().decode().strip()
    except (OSError, http.client.HTTPException) as error:
        raise Unwell(f"nobody answers at {host}:{port}: {error}") from None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise Unwell(text)
    return text
