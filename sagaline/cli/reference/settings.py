"""docs/reference/settings.md: every setting, from the classes that services read."""

import importlib
from collections.abc import Iterable, Sequence

from pydantic.fields import FieldInfo

from sagaline.chassis.setting_shape import example_of, is_secret, shape_of
from sagaline.chassis.settings import ServiceSettings
from sagaline.chassis.shared_settings import SharedSettings

TITLES = (
    "| setting | variable | default | unit, bounds | meaning |\n| --- | --- | --- | --- | --- |"
)
BEGIN = """\
# Settings

<!-- Made by `make reference`; change the settings' classes, not this page. -->

[How settings are given, and how to see what is in force](../configuration.md). Each variable has a
sister that ends with `_FILE` and names a file whose content is the value.
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
        _shape(name, field),
    ]
    meaning = f"**Secret.** {field.description}" if is_secret(field) else field.description
    return f"| {' | '.join([*cells, str(meaning)])} |"


def _variable(kind: type[SharedSettings], name: str, field: FieldInfo) -> str:
    if field.validation_alias is not None:
        return str(field.validation_alias)
    prefix = str(kind.model_config.get("env_prefix", "")) or "SAGALINE_…_"
    return f"{prefix}{name}".upper()


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "none, it must be set"
    if is_secret(field) and name in ServiceSettings.model_fields:
        return "on this machine, without a password"
    return "unset" if is_secret(field) or field.default in (None, "") else f"`{field.default}`"


def _shape(name: str, field: FieldInfo) -> str:
    """Its shape, and an example where the default is none."""
    words = [shape_of(name, field)]
    if field.examples:
        words.append(f"such as `{example_of(field)}`")
    return ", ".join(word for word in words if word)
