"""Arrays and tables of a reference file, as constraints see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from calmap.references.contents import Contents, Extension, array, column

PROPERTIES: Final = ("SHAPE", "KIND", "DATA_TYPE", "COLUMN_NAMES", "EXTENSION", "NAME", "DATA")
_SUFFIX, _PREFIX = "_ARRAY", "ARRAY_"
_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "COMPLEX": ("complex",),
        "INT": ("int", "uint"),
        "INTEGER": ("int", "uint"),
        "UNSIGNED": ("uint",),
        "FLOAT": ("float",),
        "BOOLEAN": ("bool",),
        "STR": ("str",),
        "STRING": ("str",),
    }
)


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """One array or table.

    Parameters
    ----------
    path
        Its file.
    extension
        What the file says of it.
    """

    path: Path
    extension: Extension

    @property
    def is_table(self) -> bool:
        """True for a table."""
        return self.extension.kind == "table"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Columns in upper case."""
        return tuple(each.name.upper() for each in self.extension.columns)

    def column_type(self, name: str) -> str | None:
        """Numpy's name of the type of a column, or None if there is no such column."""
        return next((c.data_type for c in self.extension.columns if c.name.upper() == name.upper()), None)

    def value(self, name: str) -> Any:
        """A property by the name that expressions have for it.

        Raises
        ------
        HeaderError
            If the data can't be read.
        """
        return self._properties()[name]()

    def data(self) -> Any:
        """The pixels, as a numpy array.

        Raises
        ------
        HeaderError
            If they can't be read.
        """
        return array(self.path, self.extension.index)

    def column(self, name: str) -> Any:
        """Values of a column, as a numpy array.

        Raises
        ------
        HeaderError
            If they can't be read.
        """
        return column(self.path, self.extension.index, name)

    def _properties(self) -> Mapping[str, Callable[[], Any]]:
        own = self.extension
        return {
            "SHAPE": lambda: own.shape,
            "KIND": lambda: own.kind.upper(),
            "DATA_TYPE": lambda: (
                {c.name.upper(): c.data_type for c in own.columns} if own.columns else own.data_type
            ),
            "COLUMN_NAMES": lambda: self.column_names,
            "EXTENSION": lambda: own.index,
            "NAME": lambda: own.name,
            "DATA": self.data,
        }


def find_array(contents: Contents, name: str) -> ArrayInfo | None:
    """The array that a constraint calls by the name or the number of its extension, or None."""
    for extension in contents.extensions:
        if extension.kind != "none" and name.upper() in (extension.name.upper(), str(extension.index)):
            return ArrayInfo(contents.path, extension)
    return None


def array_of(contents: Contents, word: str) -> ArrayInfo | None:
    """The array that an expression means by ``SCI_ARRAY`` or ``ARRAY_1``, or None."""
    return find_array(contents, array_name(word))


def array_name(word: str) -> str:
    """Name of the extension that an expression means."""
    return word.removeprefix(_PREFIX) if word.startswith(_PREFIX) else word.removesuffix(_SUFFIX)


def is_array_word(word: str) -> bool:
    """True for names that stand for arrays in expressions."""
    return word.endswith(_SUFFIX) or (word.startswith(_PREFIX) and word[len(_PREFIX) :].isdecimal())


def is_of_type(found: str, wanted: str) -> bool:
    """True if numpy's name of a type belongs to a family such as ``FLOAT``, or is the type itself.

    The types of columns may end in ``_ARRAY``: whether an element is one value or several is not looked at.

    Examples
    --------
    >>> is_of_type("float32", "FLOAT"), is_of_type("uint8", "INTEGER"), is_of_type("int16", "FLOAT")
    (True, True, False)
    """
    word = wanted.upper().removesuffix(_SUFFIX)
    return found.startswith(_FAMILIES.get(word, (wanted.lower(),)))
