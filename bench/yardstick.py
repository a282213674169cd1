"""How fast the machine is at the moment: the processor time of a fixed piece of work.

Machines that are shared with others differ from themselves by a third from hour to hour, without
any time being stolen. Figures of two results are comparable as their yardsticks are.
"""

import json
import time
from hashlib import sha1
from statistics import median
from typing import Final

ROUNDS: Final = 15
MESSAGES: Final = 1_000


def measure_ms() -> float:
    """Give the work's processor time: the median of some rounds, a third of a second in all."""
    return round(median(_round_ms() for _ in range(ROUNDS)), 2)


def _round_ms() -> float:
    began_s = time.process_time()
    work(MESSAGES)
    return 1000 * (time.process_time() - began_s)


def work(messages: int) -> str:
    """Do what services spend their time on: small dicts, texts, JSON and digests."""
    digest = sha1(usedforsecurity=False)
    for number in range(messages):
        message = {f"field-{n}": {"number": number * n, "text": str(n)} for n in range(8)}
        text = json.dumps(message)
        digest.update(text.encode())
        assert json.loads(text) == message
    return digest.hexdigest()
