"""Faults are read strictly, and happen where and when they were planted."""

import subprocess
import sys

import pytest

from stream_app.contract.settings import BadSettings
from stream_app.shell.chaos import Fault, Point, nothing, planted, read_faults


def test_several_faults_stand_in_one_setting() -> None:
    assert read_faults("before_step:delay=0.5, after_commit:kill@3") == (
        Fault(Point.BEFORE_STEP, 0.5, None),
        Fault(Point.AFTER_COMMIT, None, 3),
    )


@pytest.mark.parametrize("text", ["nowhere:kill", "before_step:burn", "before_step:kill@0", "x"])
def test_what_is_no_fault_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadSettings, match=f"HOUSING_STREAM_CHAOS: '{text}'"):
        read_faults(text)


def test_nothing_is_planted_unless_asked_for() -> None:
    assert planted(read_faults("")) is nothing


def test_a_worker_dies_the_nth_time_and_not_before() -> None:
    program = (
        "from stream_app.shell.chaos import Point, planted, read_faults\n"
        "at = planted(read_faults('before_commit:delay=0.01,before_commit:kill@3'))\n"
        "for time in range(5):\n"
        "    at(Point.BEFORE_COMMIT), at(Point.AFTER_COMMIT)\n"
        "    print(time, flush=True)\n"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert (ended.returncode, ended.stdout.split()) == (-9, [b"0", b"1"])


def test_the_nth_is_the_nth_of_all_partitions_side_by_side() -> None:
    program = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from stream_app.shell.chaos import Point, planted, read_faults\n"
        "at = planted(read_faults('before_commit:delay=0.01,before_commit:kill@9'))\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    list(pool.map(at, [Point.BEFORE_COMMIT] * 12))\n"
    )

    ended = subprocess.run([sys.executable, "-c", program], check=False)

    assert ended.returncode == -9


def test_a_fault_that_comes_is_told(caplog: pytest.LogCaptureFixture) -> None:
    planted(read_faults("before_ack:delay=0.01@2"))(Point.BEFORE_ACK)
    assert not caplog.records

    at = planted(read_faults("before_ack:delay=0.01"))
    at(Point.BEFORE_ACK)

    assert [record.message for record in caplog.records] == ["planted fault"]
