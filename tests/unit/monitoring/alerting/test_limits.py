"""Thresholds of alerts come from one file, and are checked."""

import pytest

from monitoring.alerting import limits
from stream_app.contract.settings import BadSettings


def test_what_is_shipped_can_be_read() -> None:
    assert limits.shipped().condition_gone_min > 0


@pytest.mark.parametrize("text", ["critical_factor = 4", "critical_facto = 4.0", "=", ""])
def test_a_file_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(BadSettings, match=r"alerting\.toml"):
        limits.read(text)
