"""A trained regressor as bytes, and the store where bytes are found by their hash.

skops names the parts of a file by their address in memory and stamps them with
the time; here both are taken out, so that the same model is the same bytes.
"""

import hashlib
import io
import os
import re
import zipfile
from pathlib import Path

import skops.io
from sklearn.ensemble import HistGradientBoostingRegressor

_SCHEMA = "schema.json"
_IDS = re.compile(r'("__id__": )(\d+)|"(\d+)(\.npy)"')
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def dump(regressor: HistGradientBoostingRegressor) -> bytes:
    """The regressor as a skops file; equal models give equal bytes."""
    return canonical(skops.io.dumps(regressor))


def canonical(dumped: bytes) -> bytes:
    """A skops file with its parts numbered in order of mention, and without times."""
    with zipfile.ZipFile(io.BytesIO(dumped)) as given:
        numbers: dict[str, int] = {}

        def renumber(match: re.Match[str]) -> str:
            old = match[2] or match[3]
            new = numbers.setdefault(old, len(numbers))
            return f"{match[1]}{new}" if match[2] else f'"{new}{match[4]}"'

        schema = _IDS.sub(renumber, given.read(_SCHEMA).decode())
        parts = {
            numbers[name.removesuffix(".npy")]: given.read(name)
            for name in given.namelist()
            if name != _SCHEMA
        }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for number, part in sorted(parts.items()):
            file.writestr(zipfile.ZipInfo(f"{number}.npy", _NO_TIME), part, zipfile.ZIP_DEFLATED)
        file.writestr(zipfile.ZipInfo(_SCHEMA, _NO_TIME), schema, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def put(store: Path, data: bytes, suffix: str) -> str:
    """Write `<sha256><suffix>` whole or not at all; give the hash."""
    found = hashlib.sha256(data).hexdigest()
    store.mkdir(parents=True, exist_ok=True)
    target = store / f"{found}{suffix}"
    staged = store / f".{found}{suffix}.{os.getpid()}"
    with staged.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(target)
    return found
