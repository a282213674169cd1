"""Messages made up for a test, from what their class says it needs."""

import inspect
import sys
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import UTC, datetime
from types import MappingProxyType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin
from uuid import UUID

from sagaline.engine.definition import Step
from sagaline.engine.inputs import Succeeded

# One sample a type; what a message says is none of the engine's business.
SCALARS: Mapping[type, object] = MappingProxyType(
    {
        bool: True,
        bytes: b"sample",
        datetime: datetime(2026, 1, 1, tzinfo=UTC),
        float: 1.0,
        int: 1,
        str: "sample",
        UUID: UUID(int=1),
    }
)


def sample(message: type, *, like: object = None, **values: object) -> object:
    """Make one `message`: `values`, else what `like` has by the same name, else made-up ones.

    TypeError for a field of a type that it has no sample for; give that one in `values`.
    """
    filled = dict(values)
    for name, parameter in inspect.signature(message).parameters.items():
        if name in filled or parameter.default is not inspect.Parameter.empty:
            continue
        alike = getattr(like, name, None)  # an id, a currency; not another class's records
        copied = isinstance(alike, tuple(SCALARS))
        filled[name] = alike if copied else _made_up(parameter.annotation, name)
    made: object = message(**filled)
    return made


def sample_success(step: Step, messages: Mapping[str, type], *, like: object) -> object:
    """Make a reply by which `step` succeeds; `messages` gives message classes by full name."""
    declared = [messages[name] for name in step.action.replies]
    success = next(c for c in declared if getattr(c, "outcome", None) == Succeeded.outcome)
    return sample(success, like=like)


def messages_beside(message: type) -> dict[str, type]:
    """All message classes of the module that `message` is from, by Avro full name."""
    found = vars(sys.modules[message.__module__]).values()
    return {c.avro_name: c for c in found if isinstance(c, type) and hasattr(c, "avro_name")}


def _made_up(annotation: object, name: str) -> object:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and annotation in SCALARS:
        return SCALARS[annotation]
    if origin is Annotated:
        return _made_up(arguments[0], name)
    if origin is Literal:
        return arguments[0]
    if origin in (Union, UnionType) and type(None) in arguments:
        return None
    if origin is tuple:
        return (_made_up(arguments[0], name),)
    if isinstance(annotation, type) and annotation.__name__.endswith("Datetime"):
        return SCALARS[datetime]  # pydantic's AwareDatetime and its like are classes of their own
    if isinstance(annotation, type) and (
        is_dataclass(annotation) or hasattr(annotation, "model_fields")
    ):
        return sample(annotation)
    raise TypeError(f"no sample for {name}: {annotation}")
