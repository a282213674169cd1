"""How commands end: every exit code of `sagactl`. A command's help says when it ends so."""

from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    OTHERWISE = 3
    NOT_RUNNING = 4
    INTERRUPTED = 130


MEANINGS: Final = {
    Exit.DONE: "done; of a check: all is well",
    Exit.FAILED: "it failed, and stderr says why; of a check: something is wrong",
    Exit.WRONG_USAGE: "wrong usage: there is no such option, or it can't have that value",
    Exit.OTHERWISE: "it ended, but not as hoped: REJECTED, undone, stopped, not ready",
    Exit.NOT_RUNNING: "of status alone: no platform runs",
    Exit.INTERRUPTED: "interrupted by Ctrl-C",
}


def listing() -> str:
    """Give a line for each code."""
    return "\n".join(f"  {code:>3}  {text}" for code, text in MEANINGS.items())
