"""Turns into a service's process that can't outlive its supervisor. Standard library only.

Run as `python -I -S tether.py SUPERVISOR_PID COMMAND...`: the kernel kills the command when the
supervisor's thread that started it is gone, also by a kill -9. A death signal survives the exec, so
nothing stands between the two afterwards.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(supervisor: int, command: list[str]) -> None:
    """Become `command`, tied to the life of process `supervisor`."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The supervisor may have died before the line above: then nobody will tell us.
    if os.getppid() != supervisor:
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - becoming the command is this file's purpose


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
