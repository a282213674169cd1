"""The bootstrap of a checkout: what is installed stays, what is half-made is made anew."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The bootstrap of a checkout in `tmp_path` whose pins are empty, its downloads left out."""
    spec = importlib.util.spec_from_file_location("bootstrap", CHECKOUT / "deploy/bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pins").touch()
    places = {"VENV": ".venv", "PINS": "pins", "STAMP": ".venv/stamp", "OURS": ".venv/ours"}
    places |= {"PYTHON": ".venv/bin/python"}
    for name, place in places.items():
        monkeypatch.setattr(module, name, tmp_path / place)
    monkeypatch.setattr(module, "MAKE_VENV", (*module.MAKE_VENV, "--without-pip"))
    monkeypatch.setattr(module, "install_pins", lambda: None)
    monkeypatch.setattr(module, "LINK_CHECKOUT", "")
    monkeypatch.setattr(module, "fetch_jars", lambda: None)
    monkeypatch.setattr(module, "train_kafka", lambda: None)
    return module


def test_what_is_installed_is_not_installed_again(bootstrap: ModuleType) -> None:
    assert bootstrap.main() == 0
    (bootstrap.VENV / "mark").touch()
    assert bootstrap.main() == 0
    assert (bootstrap.VENV / "mark").exists()


def test_new_pins_make_the_environment_anew(bootstrap: ModuleType) -> None:
    assert bootstrap.main() == 0
    (bootstrap.VENV / "mark").touch()
    bootstrap.PINS.write_text("# another day's versions\n")
    assert bootstrap.main() == 0
    assert not (bootstrap.VENV / "mark").exists()


def test_an_environment_that_was_left_half_made_is_made_anew(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cutting:
        cutting.setattr(bootstrap, "install_pins", cut)
        with pytest.raises(KeyboardInterrupt):
            bootstrap.main()
    assert not bootstrap.is_installed()
    assert bootstrap.main() == 0
    assert bootstrap.is_installed()


def test_an_environment_of_somebody_else_is_left_alone(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    (bootstrap.VENV / "bin").mkdir(parents=True)
    with pytest.raises(SystemExit):
        bootstrap.main()
    assert "not its own" in capsys.readouterr().err
    assert (bootstrap.VENV / "bin").exists()


def test_a_failed_installation_shows_what_pip_said(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise subprocess.CalledProcessError(1, ["pip", "install"])

    monkeypatch.setattr(bootstrap, "install_pins", fail)
    assert bootstrap.main() == 1
    assert "pip install failed" in capsys.readouterr().err
    assert not bootstrap.is_installed()


def test_the_pins_name_no_address_and_hash_everything() -> None:
    for name in ("service.txt", "runtime.txt", "dev.txt"):
        text = (CHECKOUT / "requirements" / name).read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        requirements = [line for line in text.splitlines() if "==" in line]
        assert len(requirements) > 20
        assert all(line.endswith("\\") for line in requirements)


def test_the_bootstrap_can_be_read_by_an_old_python() -> None:
    source = (CHECKOUT / "deploy/bootstrap.py").read_text()
    compile(source, "bootstrap.py", "exec", dont_inherit=True, _feature_version=7)
