"""Secrets come in files: the environment says where, and mistakes say which variable made them."""

from pathlib import Path

import pytest

from order_service.settings import OrderSettings
from sagaline.chassis import environment
from sagaline.chassis.shared_settings.files import BadSettingFile

URL = "postgresql://app:secret@db/orders"
VARIABLE = "SAGALINE_ORDER_DATABASE_URL"


def test_a_files_content_is_the_value_without_its_lines_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "url").write_text(URL + "\n")
    (tmp_path / "rows").write_text("32")
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("SAGALINE_BATCH_ROWS_MAX_FILE", str(tmp_path / "rows"))
    settings = OrderSettings()
    assert settings.database_url.get_secret_value() == URL
    assert settings.batch_rows_max == 32
    assert environment.unknown(OrderSettings, {f"{VARIABLE}_FILE": "x"}) == []


def test_a_variable_and_its_file_at_once_are_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, URL)
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(tmp_path / "url"))
    with pytest.raises(BadSettingFile, match=f"^{VARIABLE}_FILE: {VARIABLE} is set, too"):
        OrderSettings()


def test_a_file_that_can_not_be_read_is_named_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(tmp_path / "url"))
    with pytest.raises(
        BadSettingFile, match=f"{VARIABLE}_FILE: .*/url can't be read: No such file"
    ):
        OrderSettings()
    (tmp_path / "url").write_bytes(b"\xff\xfe")
    with pytest.raises(BadSettingFile, match="it is no text"):
        OrderSettings()


def test_an_empty_variable_names_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{VARIABLE}_FILE", "")
    assert OrderSettings().shown("database_url").startswith("postgresql://order_service_app@")
