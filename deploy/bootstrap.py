"""Makes .venv in the checkout and installs what is pinned; where nothing is to do, ends at once.

Standard library only. Safe to interrupt (what is half-made is made again) and to run twice at once
(the second waits). pip's and Maven's own proxy and mirror settings hold.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PINS = ROOT / "requirements" / "dev.txt"
STAMP = VENV / "sagaline.stamp"  # written last: the fingerprint of what is installed
OURS = VENV / "sagaline.venv"  # written first: this folder is ours to remove
MAKE_VENV = (sys.executable, "-m", "venv")
NEWER = ("python3.13", "python3.12", "python3.11")
PROGRESS_EACH = 10

# The environment imports the checkout's packages from wherever it is run.
LINK_CHECKOUT = """
import pathlib, sys, sysconfig
path = pathlib.Path(sysconfig.get_path("purelib")) / "sagaline-checkout.pth"
path.write_text(sys.argv[1])
"""


def main() -> int:
    """Install what is pinned; 1 and one clear message when that can't be."""
    go_on_under_a_new_python()
    # Imported late: an old Python can read this file, but not those.
    sys.path.insert(0, str(ROOT))
    from sagaline.chassis.errors import PlatformError
    from sagaline.local import prerequisites

    try:
        with PINS.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if is_installed():
                os.utime(STAMP)  # make compares its time with the pins'
                return 0
            prerequisites.require(ROOT, installing=True)
            install()
            return 0
    except PlatformError as error:
        return refuse(str(error))
    except subprocess.CalledProcessError as error:
        return refuse(f"{' '.join(error.cmd[:4])} failed; what it said stands above")


def go_on_under_a_new_python() -> None:
    """Start again under a newer Python of this machine if this one is too old."""
    if sys.version_info >= (3, 11):  # noqa: UP036 (an older one may well run this)
        return
    for name in NEWER:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(path, [path, __file__])  # noqa: S606 (no shell is wanted)
    found = ".".join(str(part) for part in sys.version_info[:2])
    sys.exit(refuse(f"it needs Python 3.11 or newer, and this machine has {found}"))


def fingerprint() -> str:
    """Say what should be installed: these pins, for this Python, from this checkout."""
    facts = PINS.read_bytes() + repr((sys.version_info[:2], str(ROOT))).encode()
    return hashlib.sha256(facts).hexdigest()


def is_installed() -> bool:
    """Say whether exactly that is installed already, whole."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == fingerprint()


def install() -> None:
    """Make the environment anew; the stamp comes last."""
    if VENV.exists() and not OURS.exists():
        sys.exit(refuse("here is a .venv that is not its own; move it away, and try again"))
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    OURS.touch()
    say(f"Making .venv for Python {sys.version_info[0]}.{sys.version_info[1]}")
    subprocess.run([*MAKE_VENV, str(VENV)], check=True)
    install_pins()
    subprocess.run([str(PYTHON), "-c", LINK_CHECKOUT, str(ROOT)], check=True)
    fetch_jars()
    train_kafka()
    STAMP.write_text(fingerprint())
    say("Installed.")


def install_pins() -> None:
    """Install the pinned packages; a line now and then shows that it goes on."""
    total = PINS.read_text().count("==")
    say(f"Installing {total} packages (150 MB, unless pip has them in its cache)")
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    command = [str(PYTHON), "-m", "pip", "install", *options, "--require-hashes", "-r", str(PINS)]
    said, seen = [], 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, universal_newlines=True) as pip:
        for line in pip.stdout or ():
            said.append(line)
            if line.startswith("Collecting "):
                seen += 1
                if seen % PROGRESS_EACH == 0:
                    say(f"  {seen} of {total}: {line.split()[1].split('==')[0]}")
            elif line.startswith("Installing collected"):
                say("  all are here, unpacking")
    if pip.returncode != 0:
        sys.stderr.writelines(said[-20:])
        raise subprocess.CalledProcessError(pip.returncode, command)


def fetch_jars() -> None:
    """Bring Kafka's jars into the user's cache, so that the first start needs no network."""
    say("Fetching Kafka's jars (45 MB, unless they are in the cache)")
    subprocess.run([str(PYTHON), "-m", "sagaline.local.kafka_jars"], check=True, cwd=ROOT)


def train_kafka() -> None:
    """Let Java learn Kafka's start; without that each start takes longer, and nothing is amiss."""
    say("Starting Kafka once, so that later starts take half the time (10 s)")
    subprocess.run([str(PYTHON), "-m", "sagaline.local.kafka_training"], check=False, cwd=ROOT)


def say(line: str) -> None:
    """Print a line of progress, at once also into a pipe."""
    print(line, flush=True)


def refuse(message: str) -> int:
    """Print why nothing was installed; give the exit code."""
    print(f"sagaline: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
