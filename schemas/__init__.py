"""The platform's messages and topics: Avro schemas, and the models generated from them."""

from importlib.resources import files
from typing import Final

from schemas.catalog import Catalog, Topic
from schemas.message import Message
from schemas.messages import MESSAGES, WRITERS
from schemas.topics import TOPICS

__all__ = ["CATALOG", "Catalog", "Message", "Topic"]

CATALOG: Final = Catalog(
    topics={topic.name: topic for topic in TOPICS},
    messages={message.avro_name: message for message in MESSAGES},
    writers=WRITERS,
    root=files(__name__),
)
