"""Deterministic names: the same cause gives the same id, on any machine, in any run.

Not `hash()`: that is salted anew in every process.
"""

import hashlib

_DIGEST_BYTES = 12  # 96 bits: a collision among 10^12 ids has odds below 1 in 10^4


def fingerprint(*parts: str) -> str:
    """Digest of the parts in order, 24 hex digits; a boundary between parts counts.

    >>> fingerprint("ab", "c") == fingerprint("a", "bc")
    False
    """
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def prediction_id(event_id: str, arm: str) -> str:
    """Name the prediction that `event_id` causes in `arm`: only events cause predictions.

    >>> prediction_id("e-1", "champion") == prediction_id("e-1", "champion")
    True
    """
    return fingerprint("prediction", event_id, arm)
