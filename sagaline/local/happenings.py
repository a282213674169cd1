"""What happens to a platform on one machine, told to whoever shows it to people."""

from dataclasses import dataclass
from typing import TypeAlias

from sagaline.local.process_key import ProcessKey


@dataclass(frozen=True, slots=True)
class Begun:
    """Something that takes a while was begun: `what`, in words."""

    what: str


@dataclass(frozen=True, slots=True)
class Done:
    """It is finished, `after_s` after its begin."""

    what: str
    after_s: float


@dataclass(frozen=True, slots=True)
class Started:
    """The service has a process; it may not be ready yet."""

    service: str
    process: ProcessKey


@dataclass(frozen=True, slots=True)
class Ready:
    """The service answers that it is ready."""

    service: str
    url: str


@dataclass(frozen=True, slots=True)
class Died:
    """The service's process ended by itself; `tail` is the end of what it logged."""

    service: str
    exit_code: int
    restart_in_s: float
    deaths: int  # in a row
    tail: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The service's process ended as it was asked to; `killed`: it took too long."""

    service: str
    killed: bool


@dataclass(frozen=True, slots=True)
class ServerDied:
    """Kafka or PostgreSQL ended by itself, and is started again on its data."""

    server: str


Happening: TypeAlias = Begun | Done | Started | Ready | Died | Ended | ServerDied
