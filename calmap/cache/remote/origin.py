"""A cache that is elsewhere, read through fsspec."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from calmap.cache.remote.trouble import AbsentError, DamagedError, UnreachableError, asking
from calmap.cache.remote.urls import shown_url
from calmap.errors import UsageError
from calmap.model.names import is_safe

_MD5: Final = re.compile(r'"?([0-9a-f]{32})"?')
_CONNECT, _READ = 30, 120


class Facts(NamedTuple):
    """What a cache tells about a file: its length in bytes and its MD5, as far as known."""

    size: int | None
    md5: str | None = None


class Names(NamedTuple):
    """What is in a folder."""

    files: frozenset[str]
    folders: frozenset[str]


@dataclass(frozen=True, slots=True)
class Origin:
    """A cache behind a URL.

    Nothing is kept open in it, so that it can be handed to other processes;
    fsspec itself keeps the connections of each.

    Parameters
    ----------
    url
        As `calmap.cache.remote.urls.normal_url` gives it.
    """

    url: str

    def __str__(self) -> str:
        return shown_url(self.url)

    def shown(self, place: str) -> str:
        """URL of a file, without a password."""
        return f"{self}/{place}"

    def facts(self, place: str) -> Facts:
        """What is known of a file without reading it.

        Raises
        ------
        AbsentError, UnreachableError
            If it is not there or can't be asked for.
        """
        with asking(self.shown(place)):
            files, root = self._connected()
            known = files.info(f"{root}/{place}")
            if known.get("type") == "directory":
                raise AbsentError(f"{self.shown(place)} is a folder")
            size, tag = known.get("size"), _MD5.fullmatch(str(known.get("ETag", "")))
            is_s3 = "s3" in _protocols(files)
            return Facts(size if isinstance(size, int) else None, tag[1] if tag and is_s3 else None)

    def is_same(self, place: str, path: Path) -> bool:
        """Whether a path leads to the very file that the cache has, and not to a copy."""
        root = self.folder
        try:
            return root is not None and (root / place).samefile(path)
        except OSError:
            return False

    @property
    def folder(self) -> Path | None:
        """The folder of a cache on this machine, None for any other."""
        protocol, _, path = self.url.partition("://")
        return Path(path) if protocol == "file" else None

    def has_md5(self, place: str) -> bool:
        """Whether the ETag of a file is its MD5; it is not where a bucket encrypts with keys of its own."""
        with asking(self.shown(place)):
            files, root = self._connected()
            bucket, key, _ = files.split_path(f"{root}/{place}")
            head = files.call_s3("head_object", Bucket=bucket, Key=key)
            return head.get("ServerSideEncryption", "AES256") == "AES256" and not head.get(
                "SSECustomerAlgorithm"
            )

    def names(self, folder: str) -> Names | None:
        """Plain names of what is in a folder, or None if there is no such folder, or no list of it.

        Raises
        ------
        UnreachableError
            If the cache does not answer.
        """
        try:
            with asking(self.shown(folder)):
                files, root = self._connected()
                files.invalidate_cache()
                is_web = self.url.startswith(("http://", "https://"))
                entries = files.ls(f"{root}/{folder}{'/' if is_web else ''}", detail=True)
        except AbsentError:
            return None
        return _names(entries, f"{root}/{folder}")

    def copy(
        self,
        place: str,
        target: Path,
        received: Callable[[int], None] | None = None,
        limit: int | None = None,
    ) -> int | None:
        """Fetch a file into one that is there already, and give the length that was announced.

        Parameters
        ----------
        received
            Called with the number of bytes of each piece that came.
        limit
            How many bytes it may have; None if any number.

        Raises
        ------
        AbsentError, UnreachableError
            If it is not there or does not come.
        DamagedError
            If more comes than may.
        """
        url = self.shown(place)
        with asking(url):
            from fsspec.callbacks import Callback

            class Meter(Callback):  # type: ignore[misc]
                """Passes on how much came."""

                came = 0

                def relative_update(self, inc: int = 1) -> None:
                    self.came += inc
                    if received is not None:
                        received(inc)
                    if limit is not None and self.came > limit:
                        raise DamagedError(f"{url} has more than {limit:,} bytes")

            files, root = self._connected()
            meter = Meter()
            files.get_file(f"{root}/{place}", str(target), callback=meter)
            return meter.size if isinstance(meter.size, int) else None

    def _connected(self) -> tuple[Any, str]:
        """The file system and the root in it; fsspec keeps one for each process."""
        from fsspec.core import url_to_fs

        try:
            files, root = url_to_fs(self.url, **_options(self.url))
        except ValueError as problem:
            protocol = self.url.partition("://")[0]
            raise UsageError(f"'{protocol}' of {self} is no protocol that fsspec knows") from problem
        root = str(root).rstrip("/")
        if self.folder is not None and not Path(root).is_dir():
            raise UnreachableError(f"there is no folder {root}", "is a disk missing?", passing=False)
        return files, root


def _options(url: str) -> dict[str, Any]:
    """Options of a file system that has unhelpful ones if none are given.

    Files are wanted as they are: one that a server packs for the way, or takes for packed, has
    another length and other bytes.
    """
    if not url.startswith(("http://", "https://")):
        return {}
    from aiohttp import ClientTimeout
    from fsspec.config import conf

    given = {**conf.get("http", {}), **conf.get("https", {})}.get("client_kwargs") or {}
    timeout = ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_READ)
    headers = {"Accept-Encoding": "identity", **(given.get("headers") or {})}
    ours = {"trust_env": True, "timeout": timeout, "auto_decompress": False}
    return {"client_kwargs": {**ours, **given, "headers": headers}}


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)


def _names(entries: list[dict[str, Any]], folder: str) -> Names:
    """Names of what is right in a folder; whatever else a server tells is passed over."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for entry in entries:
        path = str(entry["name"])
        name = path.rstrip("/").rpartition("/")[2]
        if path.rstrip("/") == f"{folder.rstrip('/')}/{name}" and is_safe(name):
            found[entry.get("type") == "directory" or path.endswith("/")].add(name)
    return Names(frozenset(found[False]), frozenset(found[True]))
