import json
import logging
from typing import ClassVar, Literal

import pytest
import structlog

from sagaline.chassis import logs
from sagaline.chassis.settings import ServiceSettings


class LampSettings(ServiceSettings):
    service: ClassVar[str] = "lamp_service"


def line_of(
    record: logging.LogRecord, log_format: Literal["json", "console"] = "json"
) -> dict[str, object] | str:
    text = logs.formatter(LampSettings(log_format=log_format)).format(record)
    found: dict[str, object] = json.loads(text) if log_format == "json" else {}
    return found or text


def test_an_event_is_one_line_of_json_with_its_facts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with structlog.contextvars.bound_contextvars(saga_id="s-1"):
        logs.logger("lamp_service").warning("went out", oil_ml=0)
    found = line_of(caplog.records[0])
    assert isinstance(found, dict)
    assert str(found.pop("timestamp")).endswith("Z")
    assert found == {
        "event": "went out",
        "oil_ml": 0,
        "saga_id": "s-1",
        "service": "lamp_service",
        "level": "warning",
        "logger": "sagaline.lamp_service",
    }


def test_a_librarys_line_has_the_same_form(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR", "aiokafka")  # a command run before may have silenced it
    logging.getLogger("aiokafka").error("Unable to connect to %s:%d", "127.0.0.1", 9)
    found = line_of(caplog.records[0])
    assert isinstance(found, dict)
    assert found["event"] == "Unable to connect to 127.0.0.1:9"
    assert (found["service"], found["level"]) == ("lamp_service", "error")


def test_an_exception_stays_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        logs.logger("lamp_service").exception("broke")
    found = line_of(caplog.records[0])
    assert isinstance(found, dict)
    assert "ZeroDivisionError" in str(found["exception"])


def test_what_is_below_the_level_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING")
    logs.logger("lamp_service").info("burns")
    assert not caplog.records


def test_lines_for_people_have_the_facts_too(caplog: pytest.LogCaptureFixture) -> None:
    logs.logger("lamp_service").warning("went out", oil_ml=0)
    found = line_of(caplog.records[0], "console")
    assert isinstance(found, str)
    assert "went out" in found
    assert "oil_ml" in found
