"""What the services say to one another."""

from importlib.resources import files

from sagaline.avro.catalog import Catalog
from schemas.messages import MESSAGES, WRITERS
from schemas.topics import TOPICS

CATALOG = Catalog.of(TOPICS, MESSAGES, WRITERS, root=files(__name__))
