"""Every setting can be given, and a wrong one is told."""

import msgspec
import pytest

from producers.settings import ProducerSettings
from stream_app.contract.settings import BadSettings, read


def test_every_setting_can_be_given_as_the_text_of_its_default() -> None:
    given = {
        f"HOUSING_PRODUCERS_{name.upper()}": str(value)
        for name, value in msgspec.structs.asdict(ProducerSettings()).items()
    }

    assert read(ProducerSettings, given, "PRODUCERS") == ProducerSettings()


@pytest.mark.parametrize(
    ("name", "text"),
    [("SEED", "-1"), ("LINGER_MS", "soon"), ("DELIVERY_TIMEOUT_S", "0"), ("IDEMPOTENCE", "maybe")],
)
def test_a_wrong_value_is_told_with_its_name(name: str, text: str) -> None:
    with pytest.raises(BadSettings, match=f"HOUSING_PRODUCERS_{name}: '{text}'"):
        read(ProducerSettings, {f"HOUSING_PRODUCERS_{name}": text}, "PRODUCERS")
