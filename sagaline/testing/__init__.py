"""What tests of services and sagas stand on: saga stories without any I/O, and real servers.

The names listed here, and the fixtures of `sagaline.testing.plugin`, are public. The other modules
are this package's own; `sagaline.testing.platform` is about orders, and for the order platform.
"""

from sagaline.testing.databases import Databases
from sagaline.testing.invariants import Broken
from sagaline.testing.outages import NotSoon
from sagaline.testing.running_platform import RunningPlatform
from sagaline.testing.runtime import APP, OWNER, TestServer
from sagaline.testing.saga_history import SagaHistory
from sagaline.testing.samples import sample
from sagaline.testing.stories import Sent, Story, given
from sagaline.testing.topic_log import NotConsumed
from sagaline.testing.walk import Bounds, Walked, walk

__all__ = [
    "APP",
    "OWNER",
    "Bounds",
    "Broken",
    "Databases",
    "NotConsumed",
    "NotSoon",
    "RunningPlatform",
    "SagaHistory",
    "Sent",
    "Story",
    "TestServer",
    "Walked",
    "given",
    "sample",
    "walk",
]
