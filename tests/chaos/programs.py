"""Programs that run to their end, as a service of the platform would be run."""

from dataclasses import replace

from sagaline.testing.platform import Platform

TIMEOUT_S = 120.0


def run(platform: Platform, service: str, *arguments: str) -> None:
    """Run a module with the environment of `service`, and look that it succeeds."""
    program = platform.embedded.program(service)
    log = program.log.with_name(f"{service}-{arguments[1]}.log")
    process = replace(program, arguments=arguments, log=log).start()
    assert process.wait(TIMEOUT_S) == 0, log.read_text()
