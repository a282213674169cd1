"""Tells programs what happens to a platform: a line of JSON each."""

import json
import sys
import threading
from dataclasses import asdict

from sagaline.local.client import Json
from sagaline.local.embedded import EmbeddedPlatform
from sagaline.local.happenings import Happening


class HappeningLines:
    """Writes each happening to stdout; may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, happening: Happening) -> None:
        """Write it: its name, and then its facts."""
        self._write(type(happening).__name__, asdict(happening))

    def up(self, platform: EmbeddedPlatform) -> None:
        """All of it is ready: say where it is."""
        services = {
            name: {"url": url, "operator_url": platform.operator_urls[name]}
            for name, url in platform.urls.items()
        }
        self._write("Up", {"services": services, "logs": platform.state.logs})

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, name: str, facts: Json) -> None:
        with self._lock:
            sys.stdout.write(json.dumps({"happening": name, **facts}, default=str) + "\n")
            sys.stdout.flush()
