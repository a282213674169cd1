"""What a look at something has found."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

STATUS = "see './sagactl status' and the logs below .sagaline"  # a remedy to begin with


class Verdict(StrEnum):
    """How something stands: a NOTE is no fault."""

    OK = "ok"
    NOTE = "note"
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` says how `about` stands; `remedy` what to do, where something is to be done."""

    about: str
    verdict: Verdict
    text: str
    remedy: str = ""


def wrong(about: str, text: str, remedy: str) -> Finding:
    """Give a fault; every fault has a remedy."""
    assert remedy, text
    return Finding(about, Verdict.WRONG, text, remedy)


def note(about: str, text: str, remedy: str = "") -> Finding:
    """Give something that is worth knowing, and no fault."""
    return Finding(about, Verdict.NOTE, text, remedy)


def unless(faults: Iterable[Finding], about: str, text: str) -> list[Finding]:
    """Give the faults; without any, that `about` is well."""
    return list(faults) or [Finding(about, Verdict.OK, text)]
