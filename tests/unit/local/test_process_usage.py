"""What processes take, by /proc."""

import os
import subprocess
import sys

from sagaline.local import process_usage

WORK = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"


def test_a_childs_time_is_its_parents_before_and_after_its_end() -> None:
    before = process_usage.of({"us": os.getpid()})["us"]
    with subprocess.Popen(
        [sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        theirs = process_usage.of({"it": child.pid})["it"]
        child.communicate("\n")
    after = process_usage.of({"us": os.getpid()})["us"]
    assert theirs.cpu_s >= 0.25
    assert theirs.memory_mib > 0
    assert after.cpu_s - before.cpu_s >= 0.25


def test_a_process_that_has_ended_is_absent() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert process_usage.of({"gone": child.pid}) == {}
