"""Settings and the environment that they are read from, put into words for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from sagaline.chassis.setting_shape import example_of, shape_of
from sagaline.chassis.settings import ServiceSettings
from sagaline.chassis.shared_settings.files import SUFFIX


def complaints(error: ValidationError) -> list[str]:
    """What is wrong: the variable, the field, what is expected; no value, it may be a secret."""
    # The settings could not be made, so their class is known by its name alone.
    found = (each for each in _kinds(ServiceSettings) if each.__name__ == error.title)
    kind = next(found, ServiceSettings)
    return [_complaint(kind, fault["loc"], fault["msg"]) for fault in error.errors()]


def _kinds(kind: type[ServiceSettings]) -> Iterator[type[ServiceSettings]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _complaint(kind: type[ServiceSettings], place: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    for field, info in kind.model_fields.items():
        if place and place[0] in (field, info.validation_alias):
            variable = kind.env_name(field)
            shape, example = shape_of(field, info), example_of(info)
            words = [f"{variable} ({field}): {text}. {info.description}"]
            words += [f"Its shape: {shape}." if shape else "", f"Example: {variable}={example}"]
            return " ".join(word for word in words[: 3 if example else 2] if word)
    return ": ".join((*map(str, place), text))


def unknown(kind: type[ServiceSettings], environment: Mapping[str, str]) -> list[str]:
    """What is wrong with variables that have the service's own prefix and set nothing."""
    prefix = str(kind.model_config.get("env_prefix", "")).upper()
    known = {kind.env_name(field) for field in kind.model_fields}
    known |= {name + SUFFIX for name in known}
    ours = {name.upper() for name in environment if prefix and name.upper().startswith(prefix)}
    return [
        f"{name}: there is no such setting; `config` lists all" for name in sorted(ours - known)
    ]


def limits(settings: ServiceSettings) -> dict[str, int]:
    """The settings that are numbers, by name: bounds, times, sizes."""
    found = {field: getattr(settings, field) for field in type(settings).model_fields}
    return {field: value for field, value in found.items() if type(value) is int}


@dataclass(frozen=True, slots=True)
class SettingShown:
    """A setting for people's eyes: `origin` is environment, file PATH, or default."""

    field: str
    variable: str
    value: str
    origin: str
    meaning: str


def shown(settings: ServiceSettings, environment: Mapping[str, str]) -> list[SettingShown]:
    """Every setting, the service's own first, as it was read from `environment`; no passwords."""
    kind = type(settings)
    own_first = sorted(
        kind.model_fields.items(), key=lambda item: item[1].validation_alias is not None
    )
    given = {name.upper(): value for name, value in environment.items()}
    return [
        SettingShown(
            field,
            kind.env_name(field),
            settings.shown(field),
            _origin(kind.env_name(field), given),
            str(info.description),
        )
        for field, info in own_first
    ]


def listing(settings: ServiceSettings, environment: Mapping[str, str]) -> list[str]:
    """The same as lines of an environment file, with meaning and origin above each."""
    return [
        f"# {each.meaning} [{each.origin}]\n{each.variable}={each.value}"
        for each in shown(settings, environment)
    ]


def _origin(variable: str, given: Mapping[str, str]) -> str:
    if given.get(variable):
        return "environment"
    file = given.get(variable + SUFFIX)
    return f"file {file}" if file else "default"
