"""Keeps the services' processes alive: one thread starts them, watches them, and ends them.

It knows processes only. Whether a service is ready is asked over HTTP, see `readiness`.
"""

import threading
import time
from collections.abc import Callable, Mapping

from sagaline.local.child import Child, Program
from sagaline.local.happenings import Happening
from sagaline.local.process_key import ProcessKey

ROUND_S = 0.05
GRACE_S = 4.0


class Supervisor:
    """The processes of `programs`, by service, from start() to stop().

    `tell` hears what happens to them. It is called in the supervisor's thread and must not raise.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        *,
        tell: Callable[[Happening], None],
        grace_s: float = GRACE_S,
    ) -> None:
        self._children = [
            Child(service, program, grace_s=grace_s) for service, program in programs.items()
        ]
        self._tell = tell
        self._wanted = {child.service for child in self._children}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Every service gets a process soon; `tell` hears of each."""
        self._thread.start()

    def stop(self) -> None:
        """All processes are asked to end together, and killed after the grace; none is left."""
        self._wanted.clear()
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def process(self, service: str) -> ProcessKey | None:
        """Give the process that runs `service` now, if one does."""
        return self._child(service).key

    def deaths(self, service: str) -> int:
        """Say how often in a row its process ended by itself, short after its start."""
        return self._child(service).deaths

    def hold(self, service: str) -> None:
        """`service` is ended, and stays so until release()."""
        self._wanted.discard(self._child(service).service)

    def release(self, service: str) -> None:
        """`service` is started again."""
        self._wanted.add(self._child(service).service)

    def _child(self, service: str) -> Child:
        (found,) = [child for child in self._children if child.service == service]
        return found

    def _watch(self) -> None:
        # This thread starts the processes and outlives them: the kernel ties them to it.
        while not self._over.wait(ROUND_S):
            self._round()
        while any(child.key for child in self._children):
            self._round()
            time.sleep(ROUND_S)

    def _round(self) -> None:
        for child in self._children:
            happening = child.step(wanted=child.service in self._wanted, now_s=time.monotonic())
            if happening is not None:
                self._tell(happening)
