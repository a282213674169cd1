"""Errors that operation brings about. A subclass's docstring is the text that people read.

PlatformError
├── MalformedEnvelope        a record's headers are not a CloudEvent of ours
├── UnknownFingerprint       a record's writer schema is not known here
├── UndecodableRecord        a record's bytes do not fit their schema
├── UnexpectedMessage        a record's type has no handler here
├── MessageTooLarge          an outgoing message is larger than its topic takes
├── UnroutableMessage        an outgoing message has no topic that this service may write
├── PositionLost             a partition's position is not in the log any more
├── Unreadable               a record's headers stop the Kafka client
├── TooManyParked            records fail one after another: it is not they that are wrong
├── ProviderUnavailable      something outside can't be used now
└── Overtaken                what a call is made for may have changed meanwhile

Services add their own subclasses next to the code that raises them.
"""

import inspect
from typing import ClassVar


class PlatformError(Exception):
    """Something that operation brings about went wrong: {detail}."""

    status: ClassVar[int] = 500  # HTTP status of the problem document

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(inspect.cleandoc(type(self).__doc__ or "").format(**facts))


class MalformedEnvelope(PlatformError):
    """The record's headers are not a CloudEvent of this platform: {reason}."""


class UnknownFingerprint(PlatformError):
    """No schema with fingerprint {fingerprint} is known here: deploy the schemas of its writer."""


class UndecodableRecord(PlatformError):
    """The record's value can't be decoded: {reason}."""


class UnexpectedMessage(PlatformError):
    """{type} came on {topic}, and {service} has no handler for it: is an older release running?"""


class MessageTooLarge(PlatformError):
    """A {type} of {size_bytes} bytes is more than the {limit_bytes} bytes of a message."""


class UnroutableMessage(PlatformError):
    """{service} may not publish {type}: {reason}."""


class PositionLost(PlatformError):
    """{topic}/{partition}: the position {position} is outside the log ({begin} to {end}).

    Records between the two were deleted unread, or the topic was made anew. Compare both sides'
    books, then set `sagaline.positions.next_offset` by hand and restart the service.
    """


class Unreadable(PlatformError):
    """{topic}/{partition}: the Kafka client can't read the record at {offset}: {reason}.

    The name of one of its headers is no UTF-8. Find out who wrote it, then set
    `sagaline.positions.next_offset` behind it by hand and restart the service.
    """


class TooManyParked(PlatformError):
    """More than {keys_max} keys would be parked within {window_s} s, so nothing is parked now.

    See what the parked records failed with (`sagactl dlq list`), and undo the release or mend the
    cause; SAGALINE_PARKED_KEYS_MAX and SAGALINE_PARKED_WINDOW_MS move the limit.
    """


class ProviderUnavailable(PlatformError):
    """{provider} can't be used now: {reason}."""

    status = 503


class Overtaken(PlatformError):
    """What a call is made for may have changed meanwhile: it is looked at anew."""
