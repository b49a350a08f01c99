"""What a worker's process does before it runs, each in a process of its own."""

import subprocess
import sys

AFTER = """
import gc, weakref
from stream_app.shell import worker

worker.spare_collector()
walked = len(gc.get_objects())
assert walked * 100 < gc.get_freeze_count(), f"{walked} objects are walked still"

class Node:
    pass

def cycle():
    node = Node()
    node.itself = node
    return weakref.ref(node)

# What a batch makes and drops is no reason to look; a cycle goes as soon as enough has come.
seen, kept = cycle(), []
assert seen() is not None
while seen() is not None:
    kept.append([])
    assert len(kept) < 2 * gc.get_threshold()[0], "a cycle stays"
assert len(kept) > gc.get_threshold()[0] // 2, "the collector looked too early"
"""


def test_the_collector_passes_over_what_stays_and_still_frees_cycles() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", AFTER], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_that_test_sees_a_collector_that_walks_all() -> None:
    planted = AFTER.replace("worker.spare_collector()", "gc.collect()")
    ended = subprocess.run([sys.executable, "-c", planted], capture_output=True, check=False)
    assert b"are walked still" in ended.stderr
