"""What a shell offers after a Tab: commands, options, and names of this platform."""

import pytest
from typer.testing import CliRunner

import schemas
from sagaline.cli.app import app
from sagaline.local.platform_config import PlatformConfig

RUNNER = CliRunner()


def offered(words: str) -> list[str]:
    """What bash would be given for the last of these words."""
    place = str(len(words.split(" ")) - 1)
    asked = {"_SAGACTL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": place}
    return RUNNER.invoke(app, [], env=asked, prog_name="sagactl").output.split()


def test_commands_are_offered() -> None:
    assert {"up", "down", "status", "doctor"} <= set(offered("sagactl "))
    assert offered("sagactl topic descr") == ["describe"]


def test_topics_are_offered_by_the_catalog() -> None:
    assert offered("sagactl topic tail ") == list(schemas.CATALOG.topics)
    assert offered("sagactl topic tail inventory.c") == ["inventory.commands.v1"]


def test_services_are_offered_by_the_platform_file(pytestconfig: pytest.Config) -> None:
    services = PlatformConfig.find(pytestconfig.rootpath).services
    assert offered("sagactl db status --service ") == [each.name for each in services]


def test_the_shell_is_told_how_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    # Else it looks for a shell among the parents of this process, which may have none.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    shown = RUNNER.invoke(app, ["--show-completion", "bash"], prog_name="sagactl")
    assert "--install-completion" in RUNNER.invoke(app, ["--help"]).output
    assert shown.exit_code == 0
