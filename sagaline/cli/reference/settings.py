"""docs/reference/settings.md: every setting, from the classes that services read."""

import importlib
from collections.abc import Iterable, Sequence
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from sagaline.chassis.settings import ServiceSettings
from sagaline.chassis.shared_settings import SharedSettings

UNITS = {"ms": "ms", "s": "s", "bytes": "bytes", "rows": "rows", "minor": "minor units"}
TITLES = (
    "| setting | variable | default | unit, bounds | meaning |\n| --- | --- | --- | --- | --- |"
)
BEGIN = """\
# Settings

<!-- Made by `make reference`; change the settings' classes, not this page. -->

Services are set by environment variables, read once, at the start. A value that can't be, or a
variable with a service's prefix that sets nothing, stops the start with a line for each.
`python -m SERVICE config` prints what is in force, without passwords. Empty variables count as
unset.

`sagactl up` hands its own environment on, and sets addresses, ports and databases itself. There the
default of `SAGALINE_TOPIC_PARTITIONS` is 4. For `sagactl` alone there is `SAGALINE_STATE`, in place
of `--state`.
"""


def page(services: Iterable[str]) -> str:
    """Give the page for these packages."""
    kinds = [_kind(service) for service in services]
    place = [name for name in ServiceSettings.model_fields if name not in _shared()]
    sections = [
        _section("All services", "", SharedSettings, _shared()),
        _section("Each service's place", _prefixes(kinds), ServiceSettings, place),
    ]
    for kind in kinds:
        own = [name for name in kind.model_fields if name not in ServiceSettings.model_fields]
        if own:
            sections.append(_section(kind.service, "", kind, own))
    return "\n".join([BEGIN, *sections])


def _kind(service: str) -> type[ServiceSettings]:
    """The class of a service's settings: the one that its module of that name defines."""
    module = importlib.import_module(f"{service}.settings")
    (found,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, ServiceSettings)
        and each.__module__ == module.__name__
    )
    return found


def _shared() -> Sequence[str]:
    return list(SharedSettings.model_fields)


def _prefixes(kinds: Sequence[type[ServiceSettings]]) -> str:
    prefixes = [f"`{kind.model_config.get('env_prefix', '')}` ({kind.service})" for kind in kinds]
    return f"The variables begin with the service's own prefix: {', '.join(prefixes)}.\n\n"


def _section(title: str, text: str, kind: type[SharedSettings], fields: Sequence[str]) -> str:
    rows = [_row(kind, name, kind.model_fields[name]) for name in fields]
    return "\n".join([f"## {title}", "", f"{text}{TITLES}", *rows, ""])


def _row(kind: type[SharedSettings], name: str, field: FieldInfo) -> str:
    cells = [
        f"`{name}`",
        f"`{_variable(kind, name, field)}`",
        _default(name, field),
        _bounds(name, field),
    ]
    meaning = f"**Secret.** {field.description}" if _is_secret(field) else field.description
    return f"| {' | '.join([*cells, str(meaning)])} |"


def _variable(kind: type[SharedSettings], name: str, field: FieldInfo) -> str:
    if field.validation_alias is not None:
        return str(field.validation_alias)
    prefix = str(kind.model_config.get("env_prefix", "")) or "SAGALINE_…_"
    return f"{prefix}{name}".upper()


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "none, it must be set"
    if _is_secret(field) and name in ServiceSettings.model_fields:
        return "on this machine, without a password"
    return "unset" if _is_secret(field) or field.default in (None, "") else f"`{field.default}`"


def _bounds(name: str, field: FieldInfo) -> str:
    """Words for the unit, which the name ends with, and for what a value may be."""
    units = [UNITS[word] for word in name.split("_") if word in UNITS]
    kinds = [field.annotation, *get_args(field.annotation)]
    choices = next((get_args(each) for each in kinds if get_origin(each) is Literal), ())
    # Those of `PositiveInt | None` stand in the type.
    limits = [*field.metadata, *(each for kind in kinds for each in _metadata(kind))]
    least = [each.ge for each in limits if isinstance(each, Ge)]
    least += [each.gt + 1 for each in limits if isinstance(each, Gt) and isinstance(each.gt, int)]
    most = [each.le for each in limits if isinstance(each, Le)]
    words = [f"`{choice}`" for choice in choices]
    if least:
        words.append(f"{least[0]:_} to {most[0]:_}" if most else f"{least[0]:_} or more")
    return ", ".join([*units, *words])


def _metadata(kind: object) -> tuple[object, ...]:
    return getattr(kind, "__metadata__", ())


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)
