"""A service's log file: JSON lines, appended by its process; the end of it is shown to people."""

import json
from pathlib import Path

KEPT_BYTES_MAX = 32 * 1024 * 1024  # at a start, a longer log is set aside as `.1`
TAIL_BYTES = 64 * 1024
LINE_CHARACTERS_MAX = 240
LEFT_OUT = ("timestamp", "level", "event", "service", "exception", "logger")


def make_room(log: Path) -> None:
    """Set a long log aside; the one before it is dropped."""
    if size(log) > KEPT_BYTES_MAX:
        log.replace(log.with_name(log.name + ".1"))


def size(log: Path) -> int:
    """Give its size in bytes; 0 if there is no log."""
    return log.stat().st_size if log.exists() else 0


def tail(log: Path, lines: int, *, since: int = 0) -> list[str]:
    """Give the last lines from byte `since` on, put for people; none if there is no log."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(since, size(log) - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    shown = [line for raw in text.splitlines()[-lines:] for line in _for_people(raw)]
    return [line[:LINE_CHARACTERS_MAX] for line in shown[-lines:]]


def excerpt(log: Path, lines: int) -> str:
    """Give the last lines for the text of an error, indented from the second on."""
    return "\n    ".join(tail(log, lines)) or "(nothing)"


def _for_people(raw: str) -> list[str]:
    try:
        entry = json.loads(raw)
    except ValueError:
        return [raw]
    if not isinstance(entry, dict):
        return [raw]
    facts = " ".join(f"{k}={v}" for k, v in entry.items() if k not in LEFT_OUT)
    line = f"{str(entry.get('level', '')).upper():<7} {entry.get('event', '')} {facts}".rstrip()
    return [line, *str(entry.get("exception", "")).splitlines()]
