"""A package of schemas: where its sources lie, and what is generated from them. For development."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sagaline.avro.catalog import Topic
from sagaline.avro.folder import Folder
from sagaline.avro.topic_source import read_topics

DEFAULT = Path("schemas")


@dataclass(frozen=True, slots=True)
class Package:
    """A folder with `avro/`, `examples/`, `released/` and `topics.yaml`; others import it."""

    home: Path

    @property
    def folder(self) -> Folder:
        """Its messages."""
        return Folder.at(self.home / "avro", self.home)

    @property
    def models(self) -> Path:
        """The module of generated messages."""
        return self.home / "messages.py"

    @property
    def topics_module(self) -> Path:
        """The module of generated topics."""
        return self.home / "topics.py"

    def topics(self) -> tuple[Topic, ...]:
        """The topics in `topics.yaml`; raises ValidationError where an entry has another shape."""
        return read_topics(self.home / "topics.yaml")

    def lacks(self) -> Iterator[str]:
        """What is missing for this to be one, a sentence each."""
        for source in ("avro", "topics.yaml"):
            if not (self.home / source).exists():
                yield f"there is no {self.home / source}"
