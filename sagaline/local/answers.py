"""Answers of services over HTTP: what they say, or what is wrong."""

import httpx

from sagaline.chassis.errors import PlatformError


class NotFound(PlatformError):
    """{text}"""


class Refused(PlatformError):
    """{service} answers {status}: {text}"""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return int(str(self.facts["status"]))


def body(service: str, answer: httpx.Response) -> dict[str, str]:
    """The JSON object that a `service` answers. Raises Refused."""
    require_success(service, answer)
    found = answer.json()
    assert isinstance(found, dict), found
    return found


def require_found(service: str, answer: httpx.Response) -> None:
    """Raise NotFound, or Refused for every other error."""
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise NotFound(text=problem_text(answer))
    require_success(service, answer)


def require_success(service: str, answer: httpx.Response) -> None:
    """Raise Refused for an error."""
    if answer.is_error:
        raise Refused(service=service, status=answer.status_code, text=problem_text(answer))


def problem_text(answer: httpx.Response) -> str:
    """Put a problem document (RFC 9457) into a line: its detail, and the fields at fault."""
    try:
        body = answer.json()
    except ValueError:
        return answer.text[:200]
    if not isinstance(body, dict):
        return answer.text[:200]
    text = str(body.get("detail") or body.get("title") or answer.reason_phrase)
    errors = body.get("errors") or ()
    faults = [f"{error.get('field')}: {error.get('message')}" for error in errors]
    return "; ".join([text.rstrip("."), *(fault for fault in faults if fault not in text)])
