"""The reference pages are what the generator makes, and it leaves nothing out."""

import pytest

from saga_orchestrator.settings import OrchestratorSettings
from sagaline.cli.app import app
from sagaline.cli.reference.__main__ import pages
from sagaline.cli.reference.settings import page
from tests.unit.cli.test_help import commands

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_generator_makes(name: str, pytestconfig: pytest.Config) -> None:
    written = (pytestconfig.rootpath / "docs" / "reference" / name).read_text()
    assert written == PAGES[name], "run `make reference`"


def test_every_command_and_every_setting_has_its_place() -> None:
    for command in commands(app):
        assert f"\n## sagactl {' '.join(command)}\n" in PAGES["sagactl.md"]
    for field in OrchestratorSettings.model_fields:
        assert f"| `{field}` |" in PAGES["settings.md"]


def test_a_setting_tells_its_variable_unit_and_bounds_and_a_secret_no_value() -> None:
    lines = page(["saga_orchestrator"]).splitlines()
    rows = {line.split("|")[1].strip(" `"): line for line in lines if line.startswith("| `")}
    assert [cell.strip() for cell in rows["timer_tick_ms"].split("|")[2:5]] == [
        "`SAGALINE_ORCHESTRATOR_TIMER_TICK_MS`",
        "`200`",
        "ms, 1 to 60_000",
    ]
    assert "| unset | ms, 1 or more |" in rows["step_timeout_ms"]
    assert "| `INFO` | `DEBUG`, `INFO`, `WARNING`, `ERROR` |" in rows["log_level"]
    assert "**Secret.**" in rows["database_url"]
    assert "on this machine, without a password" in rows["database_url"]
