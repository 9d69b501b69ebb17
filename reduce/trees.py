"""Trees of tables and lists in YAML, read strictly: nothing may be said twice."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class StrictLoader(yaml.SafeLoader):
    """Reads YAML 1.1 in which a table has each name once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A table; see `yaml.constructor.SafeConstructor`."""
        names: set[str] = set()
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name in names:
                line = key.start_mark.line + 1
                raise ValueError(f"'{name}' is there twice, the second time in line {line}")
            if name is not None and name != "<<":
                names.add(name)
        return super().construct_mapping(node, deep)


def parsed_yaml(text: str, loader: type[yaml.SafeLoader] = StrictLoader) -> Any:
    """What a text in YAML says.

    Raises
    ------
    ValueError
        If it is not YAML, or a table has a name twice; the message says where.
    """
    try:
        return yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{place}{problem.problem or problem.context}") from problem
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise ValueError(f"line {line}: a character that YAML does not allow") from problem
    except yaml.YAMLError as problem:
        raise ValueError("it is not YAML") from problem
    except RecursionError as problem:
        raise ValueError("tables or lists are nested too deeply") from problem


def described(value: object) -> str:
    """A value as people write it, on one line; a table or list by what it is."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}'" if len(value) < 60 else f"'{value[:57]}...'"
        case dict():
            return "a table"
        case list() | tuple() | set():
            return "a list"
        case _:
            return str(value)
