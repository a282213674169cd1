"""What tests of services and sagas stand on: saga stories without any I/O, and real servers.

The names listed here, and the fixtures of `sagaline.testing.plugin`, are public. The other modules
are this package's own; `sagaline.testing.platform` is about orders, and for the order platform.
"""

from sagaline.testing.awaited_saga import AwaitedSaga
from sagaline.testing.databases import Databases
from sagaline.testing.environment import Environment
from sagaline.testing.invariants import Broken
from sagaline.testing.outages import NotSoon
from sagaline.testing.running_platform import Captured, RunningPlatform
from sagaline.testing.runtime import APP, OWNER, TestServer
from sagaline.testing.saga_history import SagaHistory
from sagaline.testing.samples import sample
from sagaline.testing.stories import Sent, Story, given
from sagaline.testing.topic_log import NotConsumed, NotPublished, TopicLog
from sagaline.testing.walk import Bounds, Walked, walk

__all__ = [
    "APP",
    "OWNER",
    "AwaitedSaga",
    "Bounds",
    "Broken",
    "Captured",
    "Databases",
    "Environment",
    "NotConsumed",
    "NotPublished",
    "NotSoon",
    "RunningPlatform",
    "SagaHistory",
    "Sent",
    "Story",
    "TestServer",
    "TopicLog",
    "Walked",
    "given",
    "sample",
    "walk",
]
