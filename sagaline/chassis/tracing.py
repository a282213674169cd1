"""W3C trace context: read, begun, passed on. `spans` makes spans of it, where they are wanted."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, Self

# Version 00; a later version may append parts, of which we read the ones that we know.
PATTERN = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")

UNTRACED: Final[AbstractContextManager[None]] = nullcontext()  # where nobody collects spans


@dataclass(frozen=True, slots=True)
class TraceParent:
    """Where in a trace somebody stands: hex ids of 32 and 16 digits, and the flags' byte."""

    trace_id: str
    span_id: str
    flags: int = 0  # 1: recorded by whoever stands here

    @classmethod
    def parse(cls, header: str | None) -> Self | None:
        """The header's content, or None where the standard says to pass over it."""
        match = PATTERN.fullmatch(header.strip()) if header else None
        if match is None:
            return None
        version, trace_id, span_id, flags, rest = match.groups()
        if version == "ff" or (version == "00" and rest) or not int(trace_id, 16):
            return None
        return cls(trace_id, span_id, int(flags, 16)) if int(span_id, 16) else None

    @classmethod
    def begin(cls, random_bytes: Callable[[int], bytes]) -> Self:
        """The begin of a new trace, of which nothing is recorded here."""
        return cls(random_bytes(16).hex(), random_bytes(8).hex())

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"


def passed_on(header: str | None, random_bytes: Callable[[int], bytes]) -> TraceParent:
    """The caller's own place, since nothing is recorded here; a new trace where there is none."""
    return TraceParent.parse(header) or TraceParent.begin(random_bytes)
