"""What runs, and where: written down for other processes as `run.json` in a state directory.

Of a platform in containers the same is asked of Docker (sagaline/local/compose.py); nothing is
known of its processes and logs then.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from sagaline.local.process_key import ProcessKey

NAME = "run.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunningService(_Frozen):
    """One service: where it answers everybody and its operators, its process, where it logs."""

    url: str
    operator_url: str
    log: Path | None = None
    process: ProcessKey | None = None


class RunningServer(_Frozen):
    """Kafka or PostgreSQL: where clients find it, and its process."""

    address: str
    log: Path | None = None
    process: ProcessKey | None = None


class RunFile(_Frozen):
    """One platform, as its supervisor last knew it; addresses are without passwords."""

    supervisor: ProcessKey | None
    services: Mapping[str, RunningService]
    kafka: RunningServer
    postgres: RunningServer

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """Give what `directory` says; None if nothing was written or nobody can read it."""
        try:
            return cls.model_validate_json((directory / NAME).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write(self, directory: Path) -> None:
        """Replace what `directory` says, at once: a reader never sees a half-written file."""
        fresh = directory / (NAME + ".new")
        fresh.write_text(self.model_dump_json(indent=2) + "\n")
        fresh.replace(directory / NAME)

    @staticmethod
    def remove(directory: Path) -> None:
        """Nothing is said to run in `directory`."""
        (directory / NAME).unlink(missing_ok=True)

    @property
    def urls(self) -> Mapping[str, str]:
        """Each service's URL, by name."""
        return {name: service.url for name, service in self.services.items()}

    @property
    def operator_urls(self) -> Mapping[str, str]:
        """Where each service's operators are answered, by name."""
        return {name: service.operator_url for name, service in self.services.items()}

    def service_processes(self) -> list[ProcessKey]:
        """Give the services' processes that still run."""
        known = [service.process for service in self.services.values()]
        return [process for process in known if process is not None and process.lives()]
