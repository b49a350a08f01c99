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


def prediction_id(region: str, listing_id: str, event_id: str, arm: str) -> str:
    """Name the prediction that an event causes in `arm`: only events cause predictions.

    An event is known by its id among those of its listing only: publishers do not ask each
    other, so two homes may have an event of the same id, and both are answered.

    >>> prediction_id("kc-1", "a", "1", "champion") == prediction_id("kc-1", "b", "1", "champion")
    False
    """
    return fingerprint("prediction", region, listing_id, event_id, arm)


def murmur2(data: bytes) -> int:
    """Hash of a record's key as Kafka's own clients take it, unsigned 32 bits.

    A. Appleby's MurmurHash2 with the seed of org.apache.kafka.common.utils.Utils.

    >>> murmur2(b"kc-98178")
    3276544017
    """
    length = len(data)
    mask, factor = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ length
    body = length - length % 4
    for at in range(0, body, 4):
        k = int.from_bytes(data[at : at + 4], "little") * factor & mask
        k = (k ^ k >> 24) * factor & mask
        h = (h * factor & mask) ^ k
    if length % 4:
        h = (h ^ int.from_bytes(data[body:], "little")) * factor & mask
    h = (h ^ h >> 13) * factor & mask
    return h ^ h >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """Number of the partition that a key belongs to."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
