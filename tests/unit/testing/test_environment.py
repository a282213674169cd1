"""Where tests run: what is said when that isn't to be had."""

import subprocess
import sys
from pathlib import Path

import pytest

from sagaline.testing import environment
from sagaline.testing.environment import NoEngine, NotInstalled, UnknownEnvironment

NOBODY = "tcp://127.0.0.1:1"
A_TEST = """
pytest_plugins = ["sagaline.testing.plugin"]

def test_on_kafka(kafka_bootstrap):
    raise AssertionError
"""
STRICT = """
[pytest]
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""


def test_an_environment_that_there_is_not_is_refused_by_its_name() -> None:
    with pytest.raises(UnknownEnvironment, match="no environment moon"):
        environment.servers_in("moon")


@pytest.mark.parametrize(
    "where, why", [(NOBODY, "Connection refused"), ("unix:///nowhere", "No such file or directory")]
)
def test_without_an_engine_it_is_said_where_one_was_looked_for(
    monkeypatch: pytest.MonkeyPatch, where: str, why: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", where)
    with pytest.raises(NoEngine, match=rf"No Docker engine answers at {where}, .*{why}$"):
        environment.servers_in("testcontainers")


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sagaline.testing.containers", None)
    with pytest.raises(NotInstalled, match=r"pip install 'sagaline\[containers\]'"):
        environment.servers_in("testcontainers")


@pytest.mark.parametrize("where", [NOBODY, "unix:///nowhere"])
def test_tests_in_containers_are_skipped_and_say_why_where_no_engine_answers(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "test_it.py").write_text(A_TEST)
    (tmp_path / "pytest.ini").write_text(STRICT)
    arguments = ("-rs", "-p", "no:cacheprovider", "--sagaline-environment", "testcontainers")
    plugins = ("-p", "sagaline.testing.plugin")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments, str(tmp_path)],
        cwd=tmp_path,
        env={"DOCKER_HOST": where, "PATH": "", "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 skipped" in done.stdout
    assert f"No Docker engine answers at {where}" in done.stdout
