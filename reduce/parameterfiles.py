"""Parameter files: YAML, TOML, and the two kinds that stpipe has, ``.cfg`` and ``.asdf``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from reduce.errors import DataError, ParameterError
from reduce.parameters import truth, unknown
from reduce.settings import Layer
from reduce.steps import CLASSES, REFTYPES, STEPS
from reduce.trees import StrictLoader, described, parsed_yaml

_OVERRIDE = "override_"
_SECTION = re.compile(r"(\[+)\s*([^\[\]]+?)\s*(\]+)")
_ENTRY = re.compile(r"([\w.-]+)\s*=\s*(.*)", re.ASCII)
_NOT_OURS = {
    *("name", "class", "config_file", "logcfg", "pre_hooks", "post_hooks", "save_results", "suffix"),
    *("output_file", "output_dir", "output_ext", "output_use_model", "output_use_index", "input_dir"),
    *("search_output_file", "save_calibrated_ramp"),
}
"""What files of stpipe say about files and hooks, and is left to the command line here."""
_OF_ASDF = ("asdf_library", "history", "meta")
"""What ASDF files say of themselves."""


@dataclass(frozen=True, slots=True)
class ParameterFile:
    """What a parameter file says.

    Parameters
    ----------
    layer
        Parameters by step.
    skip
        Steps that are left out.
    overrides
        Reference files by type; None for N/A. Their paths count from the file's folder.
    others
        By step, what only programs that use steps as in stpipe look at, such as ``save_results``.
    """

    layer: Layer
    skip: frozenset[str] = frozenset()
    overrides: Mapping[str, Path | None] = field(default_factory=dict)
    others: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def read_parameters(path: Path, step: str = "") -> ParameterFile:
    """What a parameter file says.

    Parameters
    ----------
    path
        The file; its suffix says of which kind it is.
    step
        The step of parameters outside of all sections; by default what ``class`` or ``name`` says.

    Raises
    ------
    DataError
        If it can't be read, or is of no kind that is known.
    ParameterError
        If it sets a parameter that does not exist, or to a value that is not allowed.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path} is no parameter file", f"names end in {', '.join(_READERS)}")
    try:
        tree = reader(path)
    except OSError as problem:
        raise DataError(f"{path} can't be read: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise DataError(f"{path} can't be read: it is not UTF-8 text") from problem
    except (ValueError, RecursionError) as problem:
        raise DataError(f"{path} can't be read: {problem}") from problem
    return _sorted(tree, path, step)


def parameter_layer(path: Path, step: str) -> Layer:
    """The parameters of a step that a parameter reference sets; see `read_parameters`."""
    return read_parameters(path, step).layer


def _sorted(tree: object, path: Path, step: str) -> ParameterFile:
    values: dict[str, dict[str, object]] = {}
    others: dict[str, dict[str, object]] = {}
    skip, overrides = set(), {}
    for name, entries in _sections(tree, path, step):
        for key, value in entries.items():
            if key == "skip":
                if _skipped(value, name, path):
                    skip.add(name)
            elif key.startswith(_OVERRIDE):
                if value is not None and str(value).strip().lower() not in ("", "none"):
                    reftype = key.removeprefix(_OVERRIDE).lower()
                    overrides[REFTYPES.get(reftype, reftype)] = _path(value, path)
            else:
                (others if key in _NOT_OURS else values).setdefault(name, {})[key] = value
    return ParameterFile(Layer(path.name, values), frozenset(skip), overrides, others)


def _skipped(value: object, step: str, path: Path) -> bool:
    try:
        return value is not None and truth(value)
    except ValueError:
        raise ParameterError(
            f"{path}: {step}.skip is {described(value)}", "it has to be true or false"
        ) from None


def _path(value: object, path: Path) -> Path | None:
    return None if str(value).upper() == "N/A" else path.parent / str(value)


def _sections(tree: object, path: Path, step: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Steps and what is said of each: parameters outside of sections belong to the one step of the file."""
    if not isinstance(tree, dict):
        raise DataError(f"{path} has no parameters: there is {described(tree)} instead of a table by step")
    table = {str(key): value for key, value in tree.items()}
    parameters = table.pop("parameters", None)
    below = table.pop("steps", None)
    for name, value in table.items():
        if isinstance(value, dict) and name not in _NOT_OURS:
            _known(name, path)
    tables = {
        name: {} if value is None else value
        for name, value in table.items()
        if name in STEPS and (value is None or isinstance(value, dict))
    }
    own = {name: value for name, value in table.items() if name not in tables}
    own.update(parameters if isinstance(parameters, dict) else {})
    if own.keys() - _NOT_OURS or (own and step):
        yield step or _step_of(own, path), own
    yield from tables.items()
    yield from _substeps(below, path)


def _substeps(below: object, path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(below, dict):
        for name, entries in below.items():
            yield from _sections(entries, path, _known(str(name), path))
    for entry in below if isinstance(below, list) else ():
        yield from _sections(entry, path, "")


def _step_of(table: Mapping[str, object], path: Path) -> str:
    for key in ("class", "name"):
        said = str(table.get(key, "")).rpartition(".")[2]
        if said in CLASSES or said in STEPS:
            return CLASSES.get(said, said)
    first = min(table.keys() - _NOT_OURS)
    raise ParameterError(
        f"{path} sets '{first}' of no step", "put it into a section that has the name of a step"
    )


def _known(name: str, path: Path) -> str:
    if name not in STEPS:
        problem = unknown("step", name, list(STEPS))
        raise ParameterError(problem.about(path), problem.hint)
    return name


def _yaml(path: Path) -> Any:
    return parsed_yaml(path.read_text(encoding="utf-8"))


def _toml(path: Path) -> Any:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _asdf(path: Path) -> Any:
    """The tree of an ASDF file: YAML up to the end of its first document; arrays have no place here."""
    text = path.read_bytes().partition(b"\n...")[0].decode("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith(("%", "#")))
    tree = parsed_yaml("\n".join(lines), _Untagged)
    if not isinstance(tree, dict):
        return tree
    return {key: value for key, value in tree.items() if key not in _OF_ASDF}


class _Untagged(StrictLoader):
    """Reads tagged mappings, lists and scalars as what they are without the tag."""


def _without_tag(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


_Untagged.add_multi_constructor("!", _without_tag)
_Untagged.add_multi_constructor("tag:stsci.edu:", _without_tag)


def _cfg(path: Path) -> Any:
    """A file of stpipe's: ``key = value`` in sections whose brackets say how deep they are."""
    root: dict[str, Any] = {}
    open_sections = [root]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        section, entry = _SECTION.fullmatch(_uncommented(text)), _ENTRY.fullmatch(text)
        if section and len(section[1]) == len(section[3]) <= len(open_sections):
            del open_sections[len(section[1]) :]
            open_sections.append(_put(open_sections[-1], section[2], {}, number))
        elif entry:
            _put(open_sections[-1], entry[1], _unquoted(entry[2]), number)
        else:
            raise ValueError(f"line {number} is neither 'name = value' nor a section: {text!r}")
    return root


def _put(table: dict[str, Any], name: str, value: Any, number: int) -> Any:
    if name in table:
        raise ValueError(f"'{name}' is there twice, the second time in line {number}")
    table[name] = value
    return value


def _uncommented(text: str) -> str:
    return text.partition("#")[0].strip()


def _unquoted(text: str) -> str:
    quoted = re.match(r"""(["'])(.*?)\1\s*(#.*)?$""", text)
    return quoted[2] if quoted else _uncommented(text)


_READERS: Mapping[str, Callable[[Path], Any]] = {
    ".yaml": _yaml,
    ".yml": _yaml,
    ".toml": _toml,
    ".cfg": _cfg,
    ".asdf": _asdf,
}
