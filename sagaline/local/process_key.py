"""Which process a pid meant when it was written down: pids are used again, start times are not."""

import os
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Self

from sagaline.local import guard


@dataclass(frozen=True, slots=True)
class ProcessKey:
    """One process of this boot: its pid, and when it started, in clock ticks."""

    pid: int
    started_ticks: int

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Give the key of a running process, or None if there is no such process any more."""
        try:
            return cls(*guard.process_key(pid))
        except (FileNotFoundError, ProcessLookupError):
            return None

    def lives(self) -> bool:
        """Say whether this very process still runs; a zombie doesn't."""
        try:
            if guard.process_key(self.pid) != [self.pid, self.started_ticks]:
                return False
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state not in ("Z", "X")

    def signal(self, number: Signals) -> None:
        """Send a signal to the process; nothing if it is gone."""
        if self.lives():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:  # it ended between the two lines
                pass

    def signal_group(self, number: Signals) -> None:
        """Send a signal to the group that the process leads; nothing if it is gone."""
        if self.lives():
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass
