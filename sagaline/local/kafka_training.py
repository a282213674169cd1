"""Lets a Kafka start and end once, so that later starts take half the time.

    python -m sagaline.local.kafka_training

It takes ten seconds; where that was done already, it ends at once.
"""

import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from sagaline.local import aot_cache
from sagaline.local.kafka import Kafka
from sagaline.local.ports import free_port


class Trainee(Kafka):
    """A Kafka whose Java writes to `notes`, at its end, what it had to load."""

    stop_timeout_s: ClassVar[float] = 120.0  # that takes some 5 s

    def __init__(self, directory: Path, notes: Path, rng: random.Random) -> None:
        super().__init__(
            directory, port=free_port(rng), controller_port=free_port(rng), throw_away=True
        )
        self._notes = notes

    def command(self) -> Sequence[str]:
        """Give the broker's command line."""
        java, *arguments = super().command()
        return [java, f"-XX:AOTCacheOutput={self._notes}", *arguments]


def train() -> None:
    """Make Java's AOT cache, unless it is there."""
    wanted = aot_cache.file()
    if wanted.exists():
        return
    notes = wanted.with_suffix(f".{os.getpid()}")  # one that was interrupted is none
    try:
        with (
            tempfile.TemporaryDirectory(prefix="sagaline-") as directory,
            Trainee(Path(directory, "kafka"), notes, random.SystemRandom()),
        ):
            pass
        notes.replace(wanted)
    finally:
        notes.unlink(missing_ok=True)


if __name__ == "__main__":
    train()
