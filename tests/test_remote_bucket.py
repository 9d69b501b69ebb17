"""Caches in a bucket of a server that speaks as S3 does."""

from pathlib import Path

import pytest
import s3fs
from click.testing import CliRunner
from remote_servers import CONTEXT, ROOT, bucket_server, demo_cache, fill_bucket, mirror_of, pieces

import calmap
from calmap.cache.remote.origin import Facts, Origin
from calmap.cache.remote.trouble import DamagedError, ForbiddenError
from calmap.cache.remote.verification import Proof
from calmap.cli.main import cli
from calmap.cli.options import Invocation
from calmap.errors import NotInCacheError

DARK = "IRIS_IMG1_DARK_20250312T003000_0.0.1.fits"
PLACE = f"references/ligeriri/iris/{DARK}"
URL = "s3://demo/crds"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a bucket that has the demonstration cache."""
    with bucket_server() as buckets, pytest.MonkeyPatch.context() as patch:
        values = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "REGION": "us-east-1"}
        for name, value in (values | {"ENDPOINT_URL": buckets.url}).items():
            patch.setenv(f"AWS_{name}", value)
        fill_bucket("demo", demo_cache(tmp_path_factory.mktemp("origin")))
        yield buckets
        s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def bucket(server):
    """The same, well-behaved and with nothing told yet."""
    server.log.clear()
    yield server
    server.refused = ()


def run(tmp_path, *arguments):
    invocation = Invocation({"CALMAP_MIRRORS": str(tmp_path / "mirrors")}, tmp_path)
    return CliRunner().invoke(cli, arguments, obj=invocation, prog_name="calmap", catch_exceptions=False)


def test_reading_through(bucket, tmp_path):
    context = calmap.Cache(mirror_of(URL, tmp_path)).context()

    assert context.name == CONTEXT
    assert context.reference_path(DARK, "iris").read_bytes() == (ROOT / PLACE).read_bytes()
    bucket.log.clear()
    calmap.Cache(mirror_of(URL, tmp_path)).context(CONTEXT).reference_path(DARK, "iris")
    assert bucket.log == []


def test_the_md5_of_the_bucket_is_used(bucket, tmp_path):
    found = mirror_of(URL, tmp_path).catalogue.supply.fetch((PLACE,), tmp_path / DARK)

    assert found.proof is Proof.MD5


def test_an_md5_that_is_wrong(bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(Origin, "facts", lambda *_: Facts(None, "0" * 32))
    supply = mirror_of(URL, tmp_path).catalogue.supply

    with pytest.raises(DamagedError, match="has the MD5"):
        supply.fetch((PLACE,), tmp_path / DARK)
    assert not (tmp_path / DARK).exists()


def test_an_etag_that_is_no_md5(bucket, tmp_path, monkeypatch):
    s3fs.S3FileSystem().pipe_file(
        f"demo/crds/{PLACE}", (ROOT / PLACE).read_bytes(), ServerSideEncryption="aws:kms"
    )
    monkeypatch.setattr(Origin, "facts", lambda *_: Facts(None, "0" * 32))

    found = mirror_of(URL, tmp_path).catalogue.supply.fetch((PLACE,), tmp_path / DARK)

    assert found.proof is Proof.SIZE
    assert (tmp_path / DARK).read_bytes() == (ROOT / PLACE).read_bytes()


def test_what_may_not_be_read(bucket, tmp_path):
    mirror = mirror_of(URL, tmp_path)
    context = calmap.Cache(mirror).context()
    bucket.refused = (DARK,)

    with pytest.raises(NotInCacheError, match="is not in s3://demo/crds") as caught:
        context.reference_path(DARK, "iris")
    assert "may not be read" in (caught.value.hint or "")
    bucket.refused = (".rmap",)
    with pytest.raises(ForbiddenError, match="may not be read"):
        mirror.mapping_path("ligeriri_iris_dark_0001.rmap")


def test_what_is_not_there(bucket, tmp_path):
    mirror = mirror_of(URL, tmp_path)

    assert mirror.find_mapping("ligeriri_0009.pmap") is None
    with pytest.raises(NotInCacheError):
        mirror_of("s3://demo/none", tmp_path / "other").newest_context()
    with pytest.raises(NotInCacheError):
        mirror_of("s3://nobodys/crds", tmp_path / "other").newest_context()


def test_a_sync_that_broke_off_goes_on(bucket, tmp_path):
    command = ("sync", "--from", URL, "--cache", str(tmp_path / "c"))
    bucket.refused = (DARK, "IRIS_IMG1_DQ_20240901T000000_0.0.1.fits")

    first = run(tmp_path, *command)
    assert first.exit_code == 3
    assert "references  45 fetched, 2 not fetched" in first.stdout
    came = bucket.fetched()
    assert not pieces(tmp_path / "c")

    bucket.refused = ()
    second = run(tmp_path, *command)
    assert second.exit_code == 0, second.output
    again = [place for place in bucket.fetched() if place.startswith("references/")]
    assert sorted(again) == sorted(place for place in again if place not in came)
    assert len(again) == 2

    third = run(tmp_path, *command)
    assert third.exit_code == 0
    assert [place for place in bucket.fetched() if place.startswith(("references/", "mappings/"))] == []


def test_selecting_with_a_bucket(bucket, tmp_path):
    exposure = next(iter(sorted((ROOT / "exposures").glob("2025A*LVL0*.fits"))))

    done = run(tmp_path, "bestref", "--cache", URL, "--type", "dark", "--format", "paths", str(exposure))

    assert done.exit_code == 0, done.output
    path = done.stdout.strip()
    assert path.startswith(str(tmp_path / "mirrors"))
    original = ROOT / "references/ligeriri/iris" / Path(path).name
    assert Path(path).read_bytes() == original.read_bytes()
