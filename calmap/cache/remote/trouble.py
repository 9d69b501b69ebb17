"""What can go wrong between a cache and its mirror."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from calmap.cache.remote.urls import shown_url
from calmap.errors import CacheError, CalmapError, CalmapWarning, NotInCacheError

_LOCAL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EMFILE, errno.ENFILE})
_ABSENT: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_PASSING: Final = frozenset({408, 425, 429})
_LONGEST: Final = 300
_SILENT: Final = ("ClientConnector", "ConnectionTimeout", "EndpointConnection", "ConnectTimeout")


class AbsentError(NotInCacheError):
    """A cache that is elsewhere does not have a file."""


class ForbiddenError(AbsentError):
    """A cache that is elsewhere does not let a file be read, or does not say that there is none."""


class DamagedError(CacheError):
    """A file is not what it ought to be; it was not kept."""


class UnreachableError(CacheError):
    """A cache that is elsewhere does not answer, or not as it should.

    Parameters
    ----------
    passing
        Whether it may go better the next time.
    silent
        Whether there was no connection at all, so that other files can't be had either.
    """

    def __init__(
        self, message: str, hint: str | None = None, *, passing: bool = True, silent: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.passing = passing
        self.silent = silent


class StaleWarning(CalmapWarning):
    """A cache that is elsewhere can't be asked, and what is in its mirror has to do."""


@contextmanager
def asking(place: str) -> Iterator[None]:
    """Tell whatever fails between here and a cache that is elsewhere in words for people.

    Parameters
    ----------
    place
        URL of what is asked for.

    Raises
    ------
    AbsentError
        If it is not there.
    CacheError
        If the disk here is the trouble.
    UnreachableError
        For everything else.
    """
    shown = shown_url(place)
    try:
        yield
    except CalmapError:
        raise
    except _ABSENT as problem:
        reason = problem.__cause__
        if isinstance(reason, Exception) and _is_of_web(reason):
            raise _unreachable(shown, reason) from problem
        raise AbsentError(f"{shown} is not there") from problem
    except PermissionError as problem:
        raise _forbidden(shown, problem) from problem
    except ImportError as problem:
        raise _lacking(shown, problem) from problem
    except Exception as problem:  # file systems of fsspec raise whatever their libraries do
        if isinstance(problem, OSError) and problem.errno in _LOCAL:
            raise CacheError(f"{shown} can't be fetched: {problem.strerror}") from problem
        raise _unreachable(shown, problem) from problem


def _is_of_web(reason: Exception) -> bool:
    """Whether a web server did not answer, which fsspec takes for a file that is not there."""
    return type(reason).__module__.startswith("aiohttp") or isinstance(reason, TimeoutError | ConnectionError)


def _unreachable(shown: str, problem: Exception) -> CacheError:
    status = getattr(problem, "status", None)
    if status in (404, 410):
        return AbsentError(f"{shown} is not there")
    if status in (401, 403):
        return _forbidden(shown, problem)
    if "Credentials" in type(problem).__name__:
        hint = "set AWS_PROFILE or AWS_ACCESS_KEY_ID; a bucket for everybody needs FSSPEC_S3_ANON=true"
        return UnreachableError(f"{shown} can't be read: {_words(problem)}", hint, passing=False)
    passing = not isinstance(status, int) or status >= 500 or status in _PASSING
    advice = "try again later" if passing else None
    message = f"{shown} can't be reached: {_words(problem)}"
    return UnreachableError(message, advice, passing=passing, silent=_is_silent(problem))


def _is_silent(problem: Exception) -> bool:
    """Whether no connection came about."""
    return isinstance(problem, ConnectionRefusedError) or type(problem).__name__.startswith(_SILENT)


def _forbidden(shown: str, problem: Exception) -> ForbiddenError:
    hint = "are the right credentials set? a bucket for everybody needs FSSPEC_S3_ANON=true"
    if not shown.startswith("s3"):
        hint = "does one need to log in there?"
    return ForbiddenError(f"{shown} may not be read: {_words(problem)}", hint)


def _lacking(shown: str, problem: ImportError) -> CacheError:
    message = f"{shown} can't be reached: a package for it is missing ({problem})"
    return UnreachableError(message, "pip install 'calmap-toolkit[remote]'", passing=False)


def _words(problem: BaseException) -> str:
    text = " ".join(str(problem).split())
    return text[:_LONGEST] or type(problem).__name__
