"""The exceptions that pipelines catch, each also the error of calmap that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from calmap import errors


class CrdsError(errors.CalmapError):
    """Anything that keeps a question of a pipeline from being answered."""


class CrdsConfigError(CrdsError, errors.UsageError):
    """No cache, context or telescope, or one that can't be used."""


class CrdsDownloadError(CrdsError, errors.NotInCacheError):
    """A mapping or reference file is not in the cache; calmap never downloads one."""


class CrdsLookupError(CrdsError, LookupError):
    """The rules have no reference for a type that was asked for."""


class CrdsBadReferenceError(CrdsError):
    """The best reference is one that the cache calls bad."""


class CrdsUnknownInstrumentError(CrdsError, errors.HeaderError):
    """The parameters name no instrument that the context has rules for."""


class MappingError(CrdsError, errors.MappingError):
    """A mapping can't be used at all."""


_COUNTERPARTS: tuple[tuple[type[errors.CalmapError], type[CrdsError]], ...] = (
    (errors.UsageError, CrdsConfigError),
    (errors.ObservatoryError, CrdsConfigError),
    (errors.NotInCacheError, CrdsDownloadError),
    (errors.MappingError, MappingError),
    (errors.HeaderError, CrdsUnknownInstrumentError),
)


@contextmanager
def crds_errors(prefix: str = "") -> Iterator[None]:
    """Turn any error of calmap into the one that callers of CRDS expect.

    Parameters
    ----------
    prefix
        To put before the message.
    """
    try:
        yield
    except CrdsError:
        raise
    except errors.CalmapError as problem:
        kind = next((ours for theirs, ours in _COUNTERPARTS if isinstance(problem, theirs)), CrdsError)
        raise kind(f"{prefix}{problem.message}", problem.hint) from problem
