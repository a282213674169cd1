"""What a result was measured with."""

from pathlib import Path

from sagaline.local.load import origin


def test_settings_are_told_and_secrets_are_not() -> None:
    environment = {
        "SAGALINE_LOG_LEVEL": "DEBUG",
        "SAGALINE_DATABASE_PASSWORD": "x",
        "SAGALINE_DATABASE_URL": "postgresql://u:p@h/d",
        "HOME": "/root",
    }
    assert origin.settings(environment) == {"SAGALINE_LOG_LEVEL": "DEBUG"}


def test_outside_a_checkout_there_is_no_revision(tmp_path: Path) -> None:
    assert origin.revision(tmp_path) is None
