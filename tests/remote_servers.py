"""Servers of caches for tests: a web server with faults, and a bucket."""

import gzip
import hashlib
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from calmap.cache.remote.catalogue import Catalogue
from calmap.cache.remote.mirror import Mirror
from calmap.cache.remote.origin import Origin
from calmap.cache.remote.patience import Patience
from calmap.cache.remote.supply import Supply
from calmap.cache.remote.urls import normal_url

ROOT = Path(__file__).resolve().parents[1]
CONTEXT = "ligeriri_0001.pmap"
SUMS = "SHA256SUMS"


def demo_cache(folder: Path) -> Path:
    """A copy of the demonstration cache."""
    for name in ("mappings", "references", "config"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*"))
    return folder


def list_files(folder: Path) -> None:
    """Write the list of checksums, as coreutils would."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != SUMS
    ]
    (folder / SUMS).write_text("".join(lines))


def mirror_of(url: str, root: Path) -> Mirror:
    """A mirror that does not wait before it tries again."""
    supply = Supply.between(Origin(normal_url(url)), root, patience=Patience((0.0, 0.0)))
    return Mirror(root, catalogue=Catalogue(supply))


def pieces(root: Path) -> list[str]:
    """What is left of files on their way."""
    return [path.name for path in root.rglob(".*") if path.name.endswith((".part", ".tmp"))]


class WebServer:
    """Serves a folder, and misbehaves on demand.

    Attributes
    ----------
    url
        Where it is.
    faults
        What to do to requests of a path: ``path -> [fault, fault, …]``, each once;
        a fault that ends in ``!`` lasts.
    log
        Method and path of each request.
    listing
        Whether folders are listed.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.faults: dict[str, list[str]] = {}
        self.log: list[tuple[str, str]] = []
        self.listing = True
        self.hanging = threading.Event()
        self.released = threading.Event()

    def fetched(self, *, below: str = "") -> list[str]:
        """Paths that were fetched, in order; what has been told is forgotten."""
        found = [path.lstrip("/") for method, path in self.log if method == "GET"]
        self.log.clear()
        return [path for path in found if path.startswith(below)]

    def fault(self, path: str) -> str:
        """The fault to make now, or an empty text."""
        waiting = self.faults.get(path.lstrip("/"), [])
        if not waiting:
            return ""
        return waiting[0].rstrip("!") if waiting[0].endswith("!") else waiting.pop(0)


class Handler(SimpleHTTPRequestHandler):
    """Serves one request."""

    def __init__(self, *arguments: Any, server_of: WebServer, **named: Any) -> None:
        self.web = server_of
        super().__init__(*arguments, directory=str(server_of.folder), **named)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.web.log.append(("HEAD", self.path))
        super().do_HEAD()

    def do_GET(self) -> None:
        """Answer, rightly or not."""
        self.web.log.append(("GET", self.path))
        path = Path(self.translate_path(self.path))
        if path.is_dir() and not self.web.listing:
            self.send_error(403)
            return
        fault = self.web.fault(self.path)
        if not fault:
            super().do_GET()
        elif fault.isdigit():
            self.send_error(int(fault))
        elif fault == "drop":
            self.close_connection = True
        else:
            self._misbehave(fault, path.read_bytes() if path.is_file() else b"")

    def _misbehave(self, fault: str, body: bytes) -> None:
        if fault == "endless":
            self._send_without_end(body)
            return
        announced = len(body)
        if fault == "html":
            body = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n"
            announced = len(body)
        elif fault == "corrupt":
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
        elif fault == "short":
            body = body[: len(body) // 2]
            announced = len(body)
        elif fault in ("cut", "hang"):
            body = body[: len(body) // 2]
        packed = fault == "gzip" and "gzip" in self.headers.get("Accept-Encoding", "")
        if packed:
            body = gzip.compress(body)
            announced = len(body)
        self.send_response(200)
        if packed or fault == "encoded":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", "text/html" if fault == "html" else "application/octet-stream")
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(body)
        if fault == "hang":
            self.web.hanging.set()
            self.web.released.wait(20)
        self.close_connection = True

    def _send_without_end(self, body: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):
            self.wfile.write(body)
            while not self.web.released.is_set():
                self.wfile.write(b"\n" * 100_000)


@contextmanager
def web_server(folder: Path) -> Iterator[WebServer]:
    """A web server in a thread."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    server.daemon_threads = True
    web = WebServer(folder, server.server_address[1])
    server.RequestHandlerClass = partial(Handler, server_of=web)  # type: ignore[assignment]
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.02))
    thread.start()
    try:
        yield web
    finally:
        web.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class BucketServer:
    """Serves buckets, and misbehaves on demand.

    Attributes
    ----------
    url
        Where it is.
    refused
        Ends of paths that are refused.
    log
        Method and path of each request.
    """

    def __init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app

        self.url = ""
        self.refused: tuple[str, ...] = ()
        self.log: list[tuple[str, str]] = []
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Any, start: Any) -> Any:
        """Answer, with one header of the server's name only."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.log.append((method, path))
        if self.refused and path.endswith(self.refused):
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>not today</Message></Error>"]

        def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start(status, [item for item in headers if item[0].lower() != "server"], *more)

        return self._moto(environ, begin)

    def fetched(self) -> list[str]:
        """Paths below the root of the cache that were fetched; what has been told is forgotten."""
        found = [path.partition("/crds/")[2] for method, path in self.log if method == "GET"]
        self.log.clear()
        return [path for path in found if path]


@contextmanager
def bucket_server() -> Iterator[BucketServer]:
    """A server of buckets in a thread."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        """Says nothing."""

        def log(self, *_arguments: Any) -> None:
            """Say nothing."""

    buckets = BucketServer()
    server = make_server("127.0.0.1", 0, buckets, threaded=True, request_handler=Quiet)
    buckets.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.02))
    thread.start()
    try:
        yield buckets
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fill_bucket(name: str, folder: Path) -> None:
    """Put the files of a cache into a bucket."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.mkdir(name)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files.pipe_file(f"{name}/crds/{path.relative_to(folder).as_posix()}", path.read_bytes())
