"""Whose fault an error is: the record's, or of something that passes.

Only a deterministic error of a record counts against it. Everything here goes away by itself, so
whoever meets it waits and tries again, and blames no record.
"""

from aiokafka.errors import KafkaError
from asyncpg.exceptions import InterfaceError as AsyncpgInterfaceError
from asyncpg.exceptions import InternalClientError, UniqueViolationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sagaline.chassis.errors import Overtaken, ProviderUnavailable, TooManyParked

# SQLSTATE classes: connection, transaction rollback (deadlock, serialization), resources (disk
# full, too many connections), operator intervention (shutdown, cancel), system error.
PASSING_CLASSES = frozenset({"08", "40", "53", "57", "58"})
# lock_timeout, idle_in_transaction_session_timeout, transaction_timeout, a standby's or a
# failed-over server's read-only
PASSING_STATES = frozenset({"55P03", "25P03", "25P04", "25006"})
PASSING_ERRORS = (PoolTimeout, KafkaError, ProviderUnavailable, Overtaken, TooManyParked)
# An InternalClientError comes in the moment between the server's last words and the end.
LOST = (AsyncpgInterfaceError, InternalClientError, OSError, TimeoutError)
# An InterfaceError is also what the driver says to code that uses it wrongly (two statements at
# once, a missing argument). Only its words tell.
GONE = ("connection is closed", "another operation is cancelling")


def passing(error: BaseException) -> bool:
    """True for an outage, a lost race or a timeout: the same work may succeed later."""
    if isinstance(error, DBAPIError):  # Core wraps what the driver says
        return error.connection_invalidated or (error.orig is not None and passing(error.orig))
    if state := str(getattr(error, "sqlstate", None) or ""):
        return state[:2] in PASSING_CLASSES or state in PASSING_STATES or _outrun(error)
    return isinstance(error, PASSING_ERRORS) or _lost(error)


def _outrun(error: BaseException) -> bool:
    """Somebody has proven, since this transaction looked, what it wanted to prove."""
    return isinstance(error, UniqueViolationError) and error.constraint_name == "barrier_pkey"


def _lost(error: BaseException) -> bool:
    """The driver says that the connection is gone, or going; it has no SQLSTATE for that."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, AsyncpgInterfaceError):
            if any(words in str(seen) for words in GONE):
                return True
        elif isinstance(seen, LOST):
            return True
        seen = seen.__cause__
    return False
