"""What a platform that was killed has left behind in its state directory."""

from collections.abc import Iterator

from sagaline.local import leftovers
from sagaline.local.doctor.finding import Finding, unless, wrong
from sagaline.local.run_file import NAME, RunFile
from sagaline.local.state_directory import StateDirectory

ABOUT = "leftovers"
REMEDY = "'./sagactl down' ends and removes what is left"


def examine(state: StateDirectory) -> list[Finding]:
    """Look at a directory in which no platform runs."""
    return unless(_faults(state), ABOUT, f"none in {state.path}")


def pids(state: StateDirectory) -> frozenset[int]:
    """Give the processes of a killed platform that still run."""
    written = RunFile.read(state.path) if state.path.exists() else None
    left = written.service_processes() if written else []
    if state.path.exists():
        left += [server for _, server in leftovers.servers_written(state) if server.lives()]
    return frozenset(process.pid for process in left)


def _faults(state: StateDirectory) -> Iterator[Finding]:
    if not state.path.exists():
        return
    written = RunFile.read(state.path)
    for process in written.service_processes() if written else ():
        yield wrong(ABOUT, f"a service of it still runs, as process {process.pid}", REMEDY)
    if (state.path / NAME).exists():
        yield wrong(ABOUT, f"{state.path / NAME} tells of a platform that was killed", REMEDY)
    for path, process in leftovers.servers_written(state):
        if process.lives():
            yield wrong(ABOUT, f"{path} names process {process.pid}, which still runs", REMEDY)
        else:
            yield wrong(ABOUT, f"{path} names process {process.pid}, which is gone", REMEDY)
