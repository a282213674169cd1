"""The command line of a service, as far as it opens nothing."""

import json
from typing import ClassVar

import pytest
from fastapi import APIRouter
from pydantic_settings import SettingsConfigDict
from sqlalchemy import MetaData

import schemas
from sagaline.chassis.main import main
from sagaline.chassis.service import Service
from sagaline.chassis.settings import ServiceSettings

router = APIRouter()


class LanternSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SAGALINE_LANTERN_", frozen=True)
    service: ClassVar[str] = "lantern_service"


@router.get("/lanterns")
async def lanterns() -> list[str]:
    return []


def service() -> Service:
    return Service(
        settings=LanternSettings(),
        catalog=schemas.CATALOG,
        metadata=MetaData(),
        router=router,
    )


def exit_code(*arguments: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(service, arguments)
    return caught.value.code


def test_config_lists_what_is_in_force_without_passwords(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql://lantern:hunter2@127.0.0.1:5432/lantern"
    monkeypatch.setenv("SAGALINE_LANTERN_DATABASE_URL", url)
    monkeypatch.setenv("SAGALINE_BATCH_ROWS_MAX", "77")
    assert exit_code("config") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "SAGALINE_BATCH_ROWS_MAX=77" in lines
    assert f"SAGALINE_LANTERN_DATABASE_URL={url.replace('hunter2', '***')}" in lines


def test_what_config_prints_is_an_environment_that_means_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAGALINE_BATCH_ROWS_MAX", "77")
    before = LanternSettings()
    assert exit_code("config") == 0
    monkeypatch.delenv("SAGALINE_BATCH_ROWS_MAX")
    for line in capsys.readouterr().out.splitlines():
        if not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    assert LanternSettings() == before


def test_openapi_needs_nothing_but_the_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("openapi") == 0
    document = json.loads(capsys.readouterr().out)
    assert {"/livez", "/readyz", "/lanterns"} <= document["paths"].keys()


@pytest.mark.parametrize("verb", ["run", "migrate", "topics", "config", "openapi"])
def test_wrong_settings_stop_every_verb_and_are_all_named(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAGALINE_LANTERN_HTTP_PORT", "70000")
    monkeypatch.setenv("SAGALINE_LOG_LEVEL", "loud")
    assert exit_code(verb) == 2
    text = capsys.readouterr().err
    assert "SAGALINE_LANTERN_HTTP_PORT (http_port): " in text
    assert "SAGALINE_LOG_LEVEL (log_level): " in text


def test_a_misspelt_setting_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAGALINE_LANTERN_HTP_PORT", "8080")
    assert exit_code("run") == 2
    assert "SAGALINE_LANTERN_HTP_PORT: there is no such setting" in capsys.readouterr().err


def test_an_unknown_verb_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("dance") == 2
    assert "run|migrate|topics|config|openapi" in capsys.readouterr().err


def test_without_a_verb_the_verbs_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code() == 2
    assert "run|migrate|topics|config|openapi" in capsys.readouterr().err
