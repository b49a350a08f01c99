"""The error tree: what ends the process, and what is only told."""

import pytest

from stream_app.contract import rejects
from stream_app.contract.rejects import OurFault, RejectCode


@pytest.mark.parametrize(
    "fault",
    [
        rejects.InvariantBroken,
        rejects.Undelivered,
        rejects.SourceChanged,
        rejects.ModelRefused,
    ],
)
def test_our_faults_are_told_from_all_other_exceptions(fault: type[OurFault]) -> None:
    with pytest.raises(OurFault, match="region kc-98178"):
        raise fault("region kc-98178")


def test_a_code_is_its_own_name_on_the_wire() -> None:
    assert all(code.value == code.name.lower() for code in RejectCode)
