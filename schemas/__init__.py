"""The platform's messages and topics: Avro schemas, and the models generated from them."""

from importlib.resources import files
from typing import Final

from sagaline.avro.catalog import Catalog, Topic
from sagaline.avro.message import Message
from schemas.messages import MESSAGES, WRITERS
from schemas.topics import TOPICS

__all__ = ["CATALOG", "Catalog", "Message", "Topic"]

CATALOG: Final = Catalog.of(TOPICS, MESSAGES, WRITERS, root=files(__name__))
