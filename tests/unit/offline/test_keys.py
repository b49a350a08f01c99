"""The key pair is made once, and only its owner reads the private half."""

from pathlib import Path

import pytest

from offline import keys


def test_a_pair_is_made_on_first_use_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.key"

    made = keys.signing_key(path)

    assert keys.signing_key(path).private_bytes_raw() == made.private_bytes_raw()
    assert path.stat().st_mode & 0o777 == 0o600
    public = bytes.fromhex(path.with_suffix(".pub").read_text())
    assert public == made.public_key().public_bytes_raw()


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    path.write_text("00ff")

    with pytest.raises(ValueError, match=r"signing\.key: no Ed25519 key of 32 bytes in hex"):
        keys.signing_key(path)
