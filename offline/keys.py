"""The Ed25519 pair that signs champions: made on first use, the private half mode 600."""

import hashlib
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline.faults import WrongInput

_PRIVATE_MODE = 0o600


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Read the private key, or make the pair: `path`, and `<stem>.pub` beside it.

    Both files hold 32 bytes as hex. The public half is what scorers trust.

    Raises
    ------
    ValueError : the file holds no key
    """
    if not path.exists():
        _make(path)
    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except ValueError as error:
        raise ValueError(f"{path}: no Ed25519 key of 32 bytes in hex: {error}") from None
    path.with_suffix(".pub").write_text(key.public_key().public_bytes_raw().hex() + "\n")
    return key


def trusted_key(path: Path) -> bytes:
    """The public half beside the private key at `path`: who signed what is registered.

    Raises
    ------
    WrongInput : it is not there, or is no key
    """
    public = path.with_suffix(".pub")
    try:
        return bytes.fromhex(public.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise WrongInput(f"{public}: no public key to check signatures with: {error}") from None


def fingerprint(public: bytes) -> str:
    """What people compare keys by: the start of their SHA-256.

    >>> fingerprint(bytes(32))
    'SHA256:66687aadf862bd77'
    """
    return f"SHA256:{hashlib.sha256(public).hexdigest()[:16]}"


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never readable by others, not even for a moment; and never over an older one.
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE)
    with os.fdopen(opened, "w") as file:
        file.write(Ed25519PrivateKey.generate().private_bytes_raw().hex() + "\n")
