"""The built wheel is whole: outside the checkout it starts a server and provisions it."""

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
USE = """
import random, sys, sagaline
assert sagaline.__file__.startswith(sys.argv[1]), sagaline.__file__
from sagaline.local import kafka_jars, throwaway
from sagaline.local.provisioning import provision
assert kafka_jars.pins()
with throwaway.postgres(random.SystemRandom()) as server:
    provision(server, ["lamp_service"])
    server.execute("ALTER DATABASE lamp_service OWNER TO lamp_service_owner")
print("it works")
"""


def run(*command: str, cwd: Path, path: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(path)}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_wheel_carries_its_data_and_runs_outside_the_checkout(tmp_path: Path) -> None:
    dist, site = tmp_path / "dist", tmp_path / "site"
    run(
        *(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)),
        cwd=CHECKOUT,
        path=CHECKOUT,
    )
    (wheel,) = dist.glob("sagaline-*.whl")
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
        *("--disable-pip-version-check", "--no-compile", "--target", str(site), str(wheel)),
        cwd=tmp_path,
        path=site,
    )
    # Everything that is not Python must be in it, too: schemas, SQL, pins, the typing marker.
    for source in (CHECKOUT / "sagaline").rglob("*"):
        place = source.relative_to(CHECKOUT)
        hidden = any(part.startswith(".") for part in place.parts)
        if source.is_file() and not hidden and source.suffix not in (".py", ".pyc"):
            assert (site / place).is_file(), place
    assert "it works" in run(sys.executable, "-c", USE, str(site), cwd=tmp_path, path=site)
