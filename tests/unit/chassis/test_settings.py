import os
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict

from sagaline.chassis import environment
from sagaline.chassis.setting_shape import example_of
from sagaline.chassis.settings import ServiceSettings


class WickSettings(ServiceSettings):
    """Settings of a service that doesn't exist."""

    model_config = SettingsConfigDict(env_prefix="SAGALINE_LAMP_", frozen=True)
    service: ClassVar[str] = "lamp_service"
    wick_length_mm: int = Field(5, ge=1, le=9, description="Length of the wick.")


def complaints_about(monkeypatch: pytest.MonkeyPatch, **variables: str) -> list[str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        WickSettings()
    return environment.complaints(caught.value)


def test_a_shared_setting_is_the_platforms_and_an_own_one_has_the_services_prefix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SAGALINE_BATCH_ROWS_MAX", "7")
    monkeypatch.setenv("SAGALINE_LAMP_WICK_LENGTH_MM", "3")
    monkeypatch.setenv("SAGALINE_LAMP_HTTP_PORT", "8999")
    settings = WickSettings()
    assert (settings.batch_rows_max, settings.wick_length_mm, settings.http_port) == (7, 3, 8999)


def test_without_an_environment_everything_is_on_loopback() -> None:
    settings = WickSettings()
    assert settings.http_host == "127.0.0.1"
    assert settings.kafka_bootstrap == "127.0.0.1:19092"
    assert settings.shown("database_url") == (
        "postgresql://lamp_service_app@127.0.0.1:15432/lamp_service"
    )
    assert "lamp_service_owner@" in settings.shown("migration_url")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGALINE_TOPIC_PARTITIONS", "")
    assert WickSettings().topic_partitions is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SAGALINE_LAMP_WICK_LENGTH_MM", "10"),
        ("SAGALINE_LAMP_HTTP_PORT", "65536"),
        ("SAGALINE_LAMP_DATABASE_URL", "mysql://me:hunter2@somewhere/lamps"),
        ("SAGALINE_LAMP_MIGRATION_URL", "hunter2"),
        ("SAGALINE_LOG_LEVEL", "loud"),
        ("SAGALINE_LOG_FORMAT", "xml"),
        ("SAGALINE_KAFKA_BOOTSTRAP", "kafka"),
        ("SAGALINE_BATCH_ROWS_MAX", "0"),
        ("SAGALINE_BODY_BYTES_MAX", "a lot"),
    ],
)
def test_a_wrong_value_is_named_by_variable_field_and_meaning(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    (complaint,) = complaints_about(monkeypatch, **{variable: value})
    field = variable.removeprefix("SAGALINE_").removeprefix("LAMP_").lower()
    assert complaint.startswith(f"{variable} ({field}): ")
    assert str(WickSettings.model_fields[field].description) in complaint
    assert "hunter2" not in complaint


def test_a_wrong_value_is_answered_with_the_right_shape_and_an_example(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (number,) = complaints_about(monkeypatch, SAGALINE_LAMP_WICK_LENGTH_MM="long")
    assert number.endswith("Its shape: 1 to 9. Example: SAGALINE_LAMP_WICK_LENGTH_MM=5")
    monkeypatch.delenv("SAGALINE_LAMP_WICK_LENGTH_MM")
    (url,) = complaints_about(monkeypatch, SAGALINE_LAMP_DATABASE_URL="hunter2")
    assert "Example: SAGALINE_LAMP_DATABASE_URL=postgresql://" in url


def test_every_setting_has_an_example_unless_its_default_is_none_at_all() -> None:
    without = {n for n, f in WickSettings.model_fields.items() if example_of(f) is None}
    assert without <= {"process_slot", "topic_partitions"}


def test_each_value_has_its_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows").write_text("12")
    monkeypatch.setenv("SAGALINE_BATCH_ROWS_MAX_FILE", str(tmp_path / "rows"))
    monkeypatch.setenv("SAGALINE_LAMP_HTTP_PORT", "8999")
    found = {each.field: each for each in environment.shown(WickSettings(), os.environ)}
    assert (found["batch_rows_max"].value, found["http_port"].value) == ("12", "8999")
    assert found["batch_rows_max"].origin == f"file {tmp_path / 'rows'}"
    assert found["http_port"].origin == "environment"
    assert found["queue_rows_max"].origin == "default"


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = complaints_about(monkeypatch, SAGALINE_LOG_LEVEL="loud", SAGALINE_LAMP_HTTP_PORT="none")
    assert len(found) == 2


@pytest.mark.parametrize(
    ("variable", "value", "other"),
    [
        ("SAGALINE_BACKOFF_FIRST_MS", "6000", "SAGALINE_BACKOFF_MAX_MS"),
        ("SAGALINE_RELAY_POLL_MIN_MS", "5000", "SAGALINE_RELAY_POLL_MAX_MS"),
        ("SAGALINE_BATCH_ROWS_MAX", "9999", "SAGALINE_QUEUE_ROWS_MAX"),
        ("SAGALINE_KAFKA_HEARTBEAT_INTERVAL_MS", "5000", "SAGALINE_KAFKA_SESSION_TIMEOUT_MS"),
    ],
)
def test_two_settings_that_do_not_fit_are_both_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, other: str
) -> None:
    (complaint,) = complaints_about(monkeypatch, **{variable: value})
    assert variable in complaint
    assert other in complaint


def test_a_misspelt_own_variable_is_found_and_another_services_is_not_ours() -> None:
    given = {"SAGALINE_LAMP_WICK": "3", "SAGALINE_LAMPSHADE_X": "1", "SAGALINE_LOG_LEVEL": "INFO"}
    (complaint,) = environment.unknown(WickSettings, given)
    assert complaint.startswith("SAGALINE_LAMP_WICK:")


def test_a_shared_setting_can_not_be_set_for_one_service() -> None:
    assert environment.unknown(WickSettings, {"SAGALINE_LAMP_LOG_LEVEL": "DEBUG"})


def test_the_listing_has_every_setting_with_its_meaning_and_no_password() -> None:
    settings = WickSettings.model_validate(
        {"database_url": "postgresql://lamp:hunter2@10.0.0.1:5432/lamps"}
    )
    listing = environment.listing(settings, {})
    assert len(listing) == len(WickSettings.model_fields)
    assert any("SAGALINE_LAMP_WICK_LENGTH_MM=5" in entry for entry in listing)
    assert any("postgresql://lamp:***@10.0.0.1:5432/lamps" in entry for entry in listing)
    assert "hunter2" not in "".join(listing)


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in WickSettings.model_fields.values())


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        WickSettings().batch_rows_max = 3  # type: ignore[misc]  # what this test is about
