"""`Prefer: wait=N` (RFC 7240): for how long a client would rather wait than ask again.

Whatever is malformed, unknown or too small to matter is passed over, as the RFC wants it.
"""

import re
from collections.abc import Iterable
from typing import Final

WAIT_MAX_S: Final = 30

_FLAGS: Final = re.IGNORECASE | re.ASCII
# A preference, up to the next comma that is not in quotes: token [= word] *(; parameter).
_PREFERENCE: Final = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_WAIT: Final = re.compile(r'\s*wait\s*=\s*(?:(\d{1,9})|"(\d{1,9})")\s*(?:;.*)?', _FLAGS)
_ANY_WAIT: Final = re.compile(r"\s*wait\s*(?:[=;].*)?", _FLAGS)


def wait_s(fields: Iterable[str]) -> int | None:
    """The seconds to wait, at most WAIT_MAX_S, that these `Prefer` fields ask for; None: none.

    Where there are several, the first counts, even if it can't be read.
    """
    for field in fields:
        for preference in _PREFERENCE.findall(field):
            if _ANY_WAIT.fullmatch(preference):
                return _seconds(preference)
    return None


def _seconds(preference: str) -> int | None:
    found = _WAIT.fullmatch(preference)
    if found is None:
        return None
    seconds = int(found[1] or found[2])
    return min(seconds, WAIT_MAX_S) or None


def applied(seconds: int) -> dict[str, str]:
    """The header of an answer to a request whose wish was met."""
    return {"Preference-Applied": f"wait={seconds}"}
