"""What can go wrong in a reduction, told to people."""

from __future__ import annotations


class ReduceError(Exception):
    """A reduction can't go on.

    Parameters
    ----------
    message
        Which file or step, what was expected and what was found.
    hint
        What to do about it, or None.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def about(self, file: object) -> str:
        """The message with the name of a file before it, unless that is in it."""
        return self.message if str(file) in self.message else f"{file}: {self.message}"


class DataError(ReduceError):
    """The data can't be used: a damaged file, a wrong shape, a missing keyword."""


class OutputError(ReduceError):
    """A product can't be written."""


class ParameterError(ReduceError):
    """A parameter, step or recipe that does not exist, or a value that is not allowed."""


class MissingReferenceError(ReduceError):
    """No reference file for a type that a step needs.

    Parameters
    ----------
    reftype
        The reference type.
    explanation
        Why there is none, as many lines as it takes; empty if nobody knows.
    """

    def __init__(self, reftype: str, message: str, hint: str | None = None, explanation: str = "") -> None:
        super().__init__(message, hint)
        self.reftype = reftype
        self.explanation = explanation

    def __reduce__(self) -> tuple[type[MissingReferenceError], tuple[str, str, str | None, str]]:
        """Processes may hand it to each other."""
        return type(self), (self.reftype, self.message, self.hint, self.explanation)
