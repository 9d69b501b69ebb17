"""What calmap raises: misuse and the machine's trouble, never a finding about a user's rules.

Findings about rule files are `calmap.diagnostics.Diagnostic` values.
"""

from __future__ import annotations


class CalmapError(Exception):
    """Anything calmap raises on purpose.

    Parameters
    ----------
    message
        What happened, naming the file or setting concerned.
    hint
        What the reader can do about it.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class CalmapWarning(UserWarning):
    """Something is not as it should be, but there is an answer all the same."""


class UsageError(CalmapError):
    """The caller asked for something that makes no sense."""


class CacheError(CalmapError):
    """A cache, or a file in it, can't be used."""


class FileChangedError(CacheError):
    """A file is no longer what was read."""


class NotInCacheError(CacheError):
    """A file that is named somewhere does not exist in the cache."""


class MappingError(CacheError):
    """A mapping can't be used at all, so that nothing can be selected with it.

    `calmap check` on the same file tells everything that is wrong with it.
    """


class HeaderError(CalmapError):
    """A header of a dataset can't be read or lacks what every selection needs."""


class ObservatoryError(CalmapError):
    """A telescope definition is missing or wrong."""


class RefusedError(CalmapError):
    """A change of rules that would not do what it is meant to, or would lose something."""
