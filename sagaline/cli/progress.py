"""Shows what happens to a platform: lines, and on a terminal a spinner for what takes a while."""

import threading
from typing import assert_never

from rich.console import Console
from rich.status import Status
from rich.text import Text

from sagaline.local.happenings import (
    Begun,
    Died,
    Done,
    Ended,
    Happening,
    Ready,
    ServerDied,
    Started,
)

NAME_WIDTH = 22


class Progress:
    """Tells people what happens; may be called from any thread."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._under_way: list[str] = []
        self._lock = threading.Lock()
        # Plain lines where nobody watches: a spinner would fill a log with control characters.
        self._status = Status("", console=out) if out.is_terminal else None

    def __call__(self, happening: Happening) -> None:
        """Show it."""
        with self._lock:
            self._show(happening)
            self._spin()

    def close(self) -> None:
        """The spinner is gone."""
        with self._lock:
            self._under_way.clear()
            self._spin()

    def _show(self, happening: Happening) -> None:
        match happening:
            case Begun(what):
                self._under_way.append(what)
                if self._status is None:
                    self._line("starting", what)
            case Done(what, after_s):
                self._under_way.remove(what)
                self._line("done", what, f"{after_s:.1f} s", style="green")
            case Ready(service, url):
                self._line("ready", service, url, style="green")
            case Died():
                self._show_death(happening)
            case ServerDied(server):
                self._line("died", server, "starting it again", style="red")
            case Ended(service, killed=True):
                self._line("killed", service, "it did not stop in time", style="yellow")
            case Started() | Ended():
                pass
            case _:
                assert_never(happening)

    def _show_death(self, died: Died) -> None:
        code = f"exit code {died.exit_code}" if died.exit_code >= 0 else f"signal {-died.exit_code}"
        again = f"{code}, again in {died.restart_in_s:.1f} s"
        self._line("died", died.service, again, style="red")
        for line in died.tail:
            self._out.print(Text(f"    {line}", style="dim"))

    def _line(self, word: str, name: str, rest: str = "", *, style: str = "") -> None:
        text = Text(f"{word:<10}", style=style) + Text(f"{name:<{NAME_WIDTH}} ") + Text(rest)
        text.rstrip()
        self._out.print(text)

    def _spin(self) -> None:
        if self._status is None:
            return
        if self._under_way:
            self._status.update(", ".join(self._under_way))
            self._status.start()
        else:
            self._status.stop()
