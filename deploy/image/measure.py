"""`make image`: build the image; print its size, and how soon a service in it answers.

The size is told with what of it is the base image's. A service answers /livez from its start,
before it has found its database: that is Python, the imports and the HTTP side.
"""

import statistics
import subprocess
import time
import urllib.request

IMAGE, BASE = "sagaline:latest", "python:3.13-slim"
RUNS = 5
START_TIMEOUT_S = 30.0
POLL_S = 0.02


def main() -> None:
    """Build, and print."""
    subprocess.run(["docker", "compose", "build", "gateway"], check=True)
    print(f"{IMAGE}: {size_mb(IMAGE)} MB, {size_mb(BASE)} MB of it {BASE}'s")
    seconds = [start_s() for _ in range(RUNS)]
    figures = (min(seconds), statistics.median(seconds), max(seconds))
    told = " / ".join(f"{figure:.2f}" for figure in figures)
    print(f"start to the first answer of /livez, min / median / max of {RUNS}: {told} s")


def size_mb(image: str) -> int:
    """Give the size on disk."""
    return round(int(_docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6)


def start_s() -> float:
    """Start a service in a container of its own; give how long it took to answer."""
    began_s = time.monotonic()
    container = _docker(
        "run", "--detach", "--rm", "--init", "--read-only", "--publish", "127.0.0.1::8080",
        "--env", "SAGALINE_ORDER_HTTP_PORT=8080", IMAGE, "order_service", "run",
    )  # fmt: skip
    try:
        address = _docker("port", container, "8080")
        while not _answers(f"http://{address}/livez"):
            if time.monotonic() - began_s > START_TIMEOUT_S:
                raise TimeoutError(f"no answer within {START_TIMEOUT_S:.0f} s")
            time.sleep(POLL_S)
        return time.monotonic() - began_s
    finally:
        _docker("kill", container)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 (ours, on loopback)
            return bool(answer.status == 200)
    except OSError:
        return False


def _docker(*arguments: str) -> str:
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
