"""What passes is waited out, what comes again is a record's fault."""

import pytest
from aiokafka.errors import KafkaConnectionError
from asyncpg.exceptions import InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sagaline.chassis.errors import UndecodableRecord
from sagaline.chassis.faults import passing


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        KafkaConnectionError(),
        PoolTimeout(),
        InterfaceError("connection is closed"),
        InterfaceError("cannot perform operation: connection is closed"),
        caused(RuntimeError("no answer"), ConnectionResetError()),
    ],
)
def test_it_passes(error: Exception) -> None:
    assert passing(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("negative"),
        InterfaceError("cannot perform operation: another operation is in progress"),
        InterfaceError("the server expects 2 arguments for this query, 1 was passed"),
        caused(RuntimeError("no answer"), InterfaceError("cursor does not have an open portal")),
        AssertionError(),
        KeyError("sku"),
        UndecodableRecord(reason="no Avro"),
        caused(RuntimeError("no price"), KeyError("sku")),
    ],
)
def test_it_comes_again(error: Exception) -> None:
    assert not passing(error)
