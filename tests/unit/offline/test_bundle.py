"""Equal models are equal bytes, found by their hash."""

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import skops.io

from offline import bundle
from stream_app.scoring.champion import ALLOWED_TYPES
from tests import champions


def test_a_dumped_model_answers_as_before() -> None:
    model = champions.regressor()
    rows = champions.encode(champions.rows())

    opened = skops.io.loads(bundle.dump(model), trusted=list(ALLOWED_TYPES))

    assert np.array_equal(opened.predict(rows), model.predict(rows))


def test_dumping_twice_gives_the_same_bytes() -> None:
    model = champions.regressor()

    assert bundle.dump(model) == bundle.dump(model)
    assert skops.io.dumps(model) != skops.io.dumps(model)  # why it takes more than skops


def test_no_address_and_no_time_is_left_in_the_bytes() -> None:
    with zipfile.ZipFile(io.BytesIO(bundle.dump(champions.regressor()))) as opened:
        members = opened.infolist()

    assert {member.date_time[0] for member in members} == {1980}
    assert max(len(member.filename) for member in members) <= len("schema.json")


def test_bytes_are_kept_under_their_hash_and_nothing_else_is(tmp_path: Path) -> None:
    found = bundle.put(tmp_path / "store", b"model", ".skops")

    assert found == hashlib.sha256(b"model").hexdigest()
    assert [p.name for p in (tmp_path / "store").iterdir()] == [f"{found}.skops"]
    assert (tmp_path / "store" / f"{found}.skops").read_bytes() == b"model"
