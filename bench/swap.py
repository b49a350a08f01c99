"""A new champion takes over while a steady load comes: how long a prediction had to wait for it.

It is the same champion under another version, signed and promoted as any other: it is
opened, checked and swapped in like a new one, and prices stay what they were.
"""

import time
from collections.abc import Mapping, Sequence

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from bench import latency, load
from bench.champion import Models
from bench.flow import flowing
from bench.ground import Ground
from bench.measure import Failed
from bench.pacing import Place
from bench.reader import Visible
from stream_app.contract import wire
from stream_app.contract.models import Alias, AliasSet
from stream_app.contract.topics import MODELS, full_name

AROUND_MS = 2_000.0
_WARM_UP_S, _BEFORE_S = 5, 10
_SERVES_WITHIN_S = 60  # it is opened in a child process first, on cores that are all busy


def swapped(on: Ground, models: Models, rate: int) -> dict[str, float]:
    """Announce a new version in the midst of a load; what that comes to.

    Raises
    ------
    Failed : it never served
    """
    version, announcement = announced_again(models)
    with flowing(on, models) as flow:
        flow.send(_WARM_UP_S, rate)
        flow.pacer.appended_ms.clear()
        flow.send(_BEFORE_S, rate)
        announced_ms = time.time() * 1_000
        load.publish(on.brokers, full_name(flow.prefix, MODELS), announcement)
        for _ in range(_SERVES_WITHIN_S):
            flow.send(1, rate)
            if flow.seen[-1].champion == version:
                break
        flow.send(AROUND_MS / 1_000, rate)
        flow.catch_up()
    return blip(flow.pacer.appended_ms, flow.seen, announced_ms, version)


def announced_again(models: Models) -> tuple[str, list[load.Message]]:
    """Another version with the champion's own trees, and the records that make it serve."""
    champion = models.champion()
    old = champion.manifest
    manifest = replace(old, version=f"{old.version}-again")
    secret = bytes.fromhex((models.folder / "signing.key").read_text("ascii").strip())
    signature = Ed25519PrivateKey.from_private_bytes(secret).sign(wire.manifest_bytes(manifest))
    promoted = AliasSet(
        market=old.market,
        alias=Alias.CHAMPION,
        version=manifest.version,
        reason="for the bench",
        replaces=old.version,
    )
    told = {
        f"{old.market}/champion/{manifest.version}": replace(
            champion, manifest=manifest, signature=signature.hex()
        ),
        f"{old.market}/alias/{Alias.CHAMPION}": promoted,
    }
    return manifest.version, [load.Message(k.encode(), wire.encode(v)) for k, v in told.items()]


def blip(
    appended_ms: Mapping[Place, int], seen: Sequence[Visible], announced_ms: float, version: str
) -> dict[str, float]:
    """The longest wait of what was seen within 2 s around the swap, less the p99 before it.

    Raises
    ------
    Failed : nothing was seen of the new version
    """
    swap_ms = min((one.received_ms for one in seen if one.champion == version), default=None)
    if swap_ms is None:
        raise Failed(f"champion {version} did not serve within {_SERVES_WITHIN_S} s")

    def waits(begin_ms: float, end_ms: float) -> list[float]:
        chosen = [one for one in seen if begin_ms <= one.received_ms < end_ms]
        return latency.waits(appended_ms, chosen)

    p99_ms = float(np.percentile(waits(0.0, announced_ms), 99))
    most_ms = max(waits(swap_ms - AROUND_MS, swap_ms + AROUND_MS))
    return {
        "swap_p99_before_ms": p99_ms,
        "swap_longest_wait_ms": most_ms,
        "swap_blip_ms": most_ms - p99_ms,
        "swap_announced_to_served_s": (swap_ms - announced_ms) / 1_000,
        "swap_longest_wait_until_served_ms": max(waits(announced_ms, swap_ms + 1)),
    }
