"""Which exposures belong together: by association files, or by their headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from reduce.errors import DataError
from reduce.files.opening import require_ordinary
from reduce.files.reader import read_header
from reduce.headers import plain
from reduce.keywords import find
from reduce.obstypes import observed
from reduce.trees import described, parsed_yaml

SCIENCE, SKY = "science", "sky"
_ROLES = {
    **dict.fromkeys(("SCIENCE", "SCI", "STD", "TARGET"), SCIENCE),
    **dict.fromkeys(("BACKGROUND", "SKY", "BKG"), SKY),
}
_SUFFIXES = (".json", ".yaml", ".yml")
_CONFIGURATION = ("INSTRUME", "DETECTOR", "FILTER", "PUPIL", "SUBARRAY", "SUBSTRT1", "SUBSTRT2")


@dataclass(frozen=True, slots=True)
class Association:
    """Exposures that are reduced together.

    Parameters
    ----------
    name
        What the combined product is called after; empty to call it after the first exposure.
    science
        The exposures that are combined in the end.
    sky
        Exposures of the sky that is subtracted from them.
    target
        What they show, for messages; empty if it is not known.
    """

    name: str
    science: tuple[Path, ...]
    sky: tuple[Path, ...] = ()
    target: str = field(default="", compare=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """All exposures, the sky first."""
        return (*self.sky, *self.science)


class Kind(NamedTuple):
    """What decides with which others an exposure belongs.

    Parameters
    ----------
    configuration
        Instrument, detector, filter, pupil and part of the detector.
    imtype
        Such as ``SCI`` or ``SKY``.
    target
        Its name; empty if it is not known.
    """

    configuration: tuple[str, ...]
    imtype: str
    target: str


def is_association(path: Path) -> bool:
    """True if a file is an association by its name."""
    return path.suffix.lower() in _SUFFIXES


def read_associations(path: Path) -> tuple[Association, ...]:
    """The associations of a file.

    Three forms are known: that of JWST, with ``products`` of ``members`` that have ``expname`` and
    ``exptype``; the same with ``SCI`` and ``SKY`` as types; and a table of lists, ``SCI`` and ``SKY``.
    Files count from the folder of the association.

    Raises
    ------
    DataError
        If it can't be read, has none of these forms, or names what is not there.
    """
    require_ordinary(path)
    try:
        tree = parsed_yaml(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise DataError(f"{path} can't be read: {problem.strerror}") from problem
    except ValueError as problem:
        raise DataError(f"{path} is no association: {_reason(problem)}") from problem
    if not isinstance(tree, dict):
        raise DataError(f"{path} is no association: it is not a table")
    found = tuple(_products(tree, path)) if "products" in tree else (_listed(tree, path),)
    if not found:
        raise DataError(f"{path}: the association has no products")
    for association in found:
        if not association.science and not association.sky:
            raise DataError(f"{path}: the association {association.name or path.stem} has no members")
    return found


def _products(tree: Mapping[Any, Any], path: Path) -> Iterator[Association]:
    products = tree["products"]
    for product in products if isinstance(products, list) else [products]:
        members = product.get("members") if isinstance(product, dict) else None
        if not isinstance(members, list):
            raise DataError(
                f"{path}: a product of an association has 'members'; this is {described(product)}"
            )
        by_role: dict[str, list[Path]] = {SCIENCE: [], SKY: []}
        for member in members:
            role, name = _member(member, path)
            by_role[role].append(name)
        name = product.get("name")
        yield Association("" if name is None else str(name), tuple(by_role[SCIENCE]), tuple(by_role[SKY]))


def _member(member: object, path: Path) -> tuple[str, Path]:
    if not isinstance(member, dict) or not isinstance(member.get("expname"), str):
        raise DataError(
            f"{path}: a member of an association has 'expname' and 'exptype'; this is {described(member)}"
        )
    kind = str(member.get("exptype", "science"))
    if kind.upper() not in _ROLES:
        raise DataError(
            f"{path}: {member['expname']} is '{kind}'; members are science (SCI) or background (SKY)"
        )
    return _ROLES[kind.upper()], _file(member["expname"], path)


def _listed(tree: Mapping[Any, Any], path: Path) -> Association:
    by_role: dict[str, list[Path]] = {SCIENCE: [], SKY: []}
    for kind, names in tree.items():
        if str(kind).upper() not in _ROLES or not isinstance(names, list):
            raise DataError(
                f"{path} is no association: it has '{kind}'",
                "an association has 'products', or lists SCI and SKY",
            )
        by_role[_ROLES[str(kind).upper()]] += [_file(str(name), path) for name in names]
    return Association(path.stem, tuple(by_role[SCIENCE]), tuple(by_role[SKY]))


def _reason(problem: ValueError) -> str:
    return "it is not UTF-8 text" if isinstance(problem, UnicodeDecodeError) else str(problem)


def _file(name: str, path: Path) -> Path:
    file = path.parent / name
    if not file.is_file():
        raise DataError(f"{path} names {name}, and there is no such file in {path.parent}")
    return file


def kind_of(path: Path) -> Kind:
    """What decides with which others an exposure belongs.

    Raises
    ------
    DataError
        If the file can't be used, or one of the keywords is not as it should be.
    """
    header = plain(read_header(path))
    try:
        configuration = tuple(_value(header, keyword) for keyword in _CONFIGURATION)
        return Kind(configuration, observed(header)["IMTYPE"], _value(header, "OBJECT"))
    except DataError as problem:
        raise DataError(problem.about(path), problem.hint) from problem


def associated(exposures: Mapping[Path, Kind]) -> tuple[Association, ...]:
    """Exposures sorted by kind: targets of one configuration together, each with its sky frames."""
    science: dict[Kind, list[Path]] = {}
    sky: dict[tuple[str, ...], list[Path]] = {}
    for path, kind in exposures.items():
        if kind.imtype == "SKY":
            sky.setdefault(kind.configuration, []).append(path)
        else:
            science.setdefault(kind, []).append(path)
    used = {kind.configuration for kind in science}
    alone = [
        Association("", (), tuple(paths)) for configuration, paths in sky.items() if configuration not in used
    ]
    together = [
        Association("", tuple(paths), tuple(sky.get(kind.configuration, ())), kind.target)
        for kind, paths in science.items()
    ]
    return (*together, *alone)


def _value(header: Mapping[str, Any], keyword: str) -> str:
    value = find(header, keyword)
    return "" if value is None else str(value)
