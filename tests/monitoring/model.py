"""Decodes dashboards with Grafana's published model and says what it cannot hold.

    python3 model.py FILE...

The model's decoder skips keys it does not know and does not look at types. So
each file is encoded again and compared, key by key, and every decoded value is
held against its declared type. Exit code 1 if anything is wrong.
"""

import enum
import json
import sys
import types
import typing

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

# Keys of the Prometheus data source that Grafana's model of an annotation, and
# of a variable, leaves to the data source.
OF_DATA_SOURCE = {
    "annotations.list": {"step", "titleFormat", "textFormat", "tagKeys", "useValueForTime"},
    "templating.list": {"definition"},
}


def main(paths: list[str]) -> int:
    register_default_plugins()
    problems = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            source = json.load(file)
        problems += [f"{path}: {problem}" for problem in check(source)]
    print("\n".join(problems) or f"{len(paths)} dashboards fit the model")
    return 1 if problems else 0


def check(source: dict) -> list[str]:
    dashboard = Dashboard.from_json(source)
    encoded = json.loads(json.dumps(dashboard, cls=JSONEncoder))
    problems = list(lost(source, encoded, ""))
    problems += members(dashboard, "")
    problems += unknown_units(source, "")
    return problems


def lost(source: object, encoded: object, place: str) -> typing.Iterator[str]:
    """What the model dropped or changed."""
    if isinstance(source, dict) and isinstance(encoded, dict):
        skipped = OF_DATA_SOURCE.get(place.rpartition(".")[0], set())
        for key, value in source.items():
            inner = f"{place}.{key}".lstrip(".")
            if key in encoded:
                yield from lost(value, encoded[key], inner)
            elif key not in skipped:
                yield f"{inner}: the model has no such key"
    elif isinstance(source, list) and isinstance(encoded, list):
        if len(source) != len(encoded):
            yield f"{place}: {len(source)} items became {len(encoded)}"
        for number, (one, other) in enumerate(zip(source, encoded)):
            yield from lost(one, other, f"{place}.{number}")
    elif source != encoded:
        yield f"{place}: {source!r} became {encoded!r}"


def typed(value: object, hint: object, place: str) -> list[str]:
    """Where a decoded value is not of its declared type."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return of_union(value, args, place)
    if origin is typing.Literal:
        return [] if value in args else [f"{place}: {value!r} is none of {args}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{place}: {value!r} is no list"]
        return [p for n, one in enumerate(value) for p in typed(one, args[0], f"{place}.{n}")]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{place}: {value!r} is no object"]
        return [p for key, one in value.items() for p in typed(one, args[1], f"{place}.{key}")]
    if hint in (typing.Any, object) or not isinstance(hint, type):
        return members(value, place)
    return of_class(value, hint, place)


def of_union(value: object, args: tuple, place: str) -> list[str]:
    """The alternative of the value's own class, else the one it fits best."""
    if value is None and type(None) in args:
        return []
    args = [arg for arg in args if arg is not type(None)]
    own = [arg for arg in args if isinstance(arg, type) and isinstance(value, arg)]
    return min((typed(value, arg, place) for arg in own or args), key=len)


def of_class(value: object, hint: type, place: str) -> list[str]:
    if issubclass(hint, enum.Enum):
        known = [member.value for member in hint]
        plain = value.value if isinstance(value, enum.Enum) else value
        return [] if plain in known else [f"{place}: {value!r} is none of {known}"]
    if hint in (int, float):
        kinds = (int,) if hint is int else (int, float)
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        return [] if fits else [f"{place}: {value!r} is no number of type {hint.__name__}"]
    if isinstance(value, dict) and hasattr(hint, "from_json"):
        # Links and transformations are left as they stand by the decoder.
        decoded = hint.from_json(value)
        encoded = json.loads(json.dumps(decoded, cls=JSONEncoder))
        return list(lost(value, encoded, place)) + members(decoded, place)
    if not isinstance(value, hint):
        return [f"{place}: {value!r} is no {hint.__name__}"]
    return members(value, place)


def members(value: object, place: str) -> list[str]:
    """Of an object of the model each member; of anything else nothing."""
    if not type(value).__module__.startswith("grafana_foundation_sdk.models"):
        return []
    hints = typing.get_type_hints(type(value))
    return [
        problem
        for name, hint in hints.items()
        for problem in typed(getattr(value, name), hint, f"{place}.{name}".lstrip("."))
    ]


def unknown_units(source: object, place: str) -> list[str]:
    """Units that Grafana would print as they stand."""
    known = {value for value in vars(units).values() if isinstance(value, str)}
    problems = []
    if isinstance(source, dict):
        unit = source.get("unit")
        if isinstance(unit, str) and unit not in known and not unit.startswith("suffix:"):
            problems.append(f"{place}: Grafana has no unit {unit!r}")
        for key, value in source.items():
            problems += unknown_units(value, f"{place}.{key}".lstrip("."))
    elif isinstance(source, list):
        for number, value in enumerate(source):
            problems += unknown_units(value, f"{place}.{number}")
    return problems


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
