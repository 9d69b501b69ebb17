"""Damaged, wrong and unlucky files: a clear message, and nothing half done."""

import errno
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reduce_files import frame, ramp, same, write

from reduce.errors import DataError, OutputError, ReduceError
from reduce.files.reader import open_any, read_frame, read_provenance, read_ramp
from reduce.files.writer import write_frame, write_ramp

SHAPE = (6, 5)
IMAGE = np.ones(SHAPE, np.float32)
ANY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refused(read, path):
    """What is said about a file that can't be used; no warning may escape."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError) as caught:
            read(path)
    assert str(path) in caught.value.message
    assert "Traceback" not in caught.value.message
    return caught.value.message


def test_a_missing_file_is_named(tmp_path):
    assert "No such file" in refused(read_frame, tmp_path / "no.fits")


def test_a_folder_is_no_file(tmp_path):
    assert "directory" in refused(read_frame, tmp_path)


def test_an_empty_file_is_empty(tmp_path):
    (tmp_path / "f.fits").touch()

    assert "is empty" in refused(open_any, tmp_path / "f.fits")


@pytest.mark.parametrize(
    "data", [b"hello", b"\x89PNG\r\n" * 600, b"SIMPLE", b"\0" * 5000, b"PK\x03\x04" * 900]
)
def test_other_files_are_not_fits(tmp_path, data):
    (tmp_path / "f.fits").write_bytes(data)

    assert "FITS" in refused(open_any, tmp_path / "f.fits")


@pytest.mark.parametrize("kind", ["frame", "ramp"])
def test_a_file_cut_off_anywhere_is_refused(tmp_path, kind):
    path, cut = tmp_path / "whole.fits", tmp_path / "cut.fits"
    write_frame(frame((70, 50)), path) if kind == "frame" else write_ramp(ramp((70, 50, 1, 4)), path)
    data = path.read_bytes()
    places = [*range(1, len(data), 1441), len(data) - 1, len(data) - 2880]

    for place in places:
        cut.write_bytes(data[:place])
        if place % 2880 == 0 and _ends_an_hdu(path, place):
            continue
        refused(open_any, cut)


def _ends_an_hdu(path, place):
    with fits.open(path) as hdus:
        return any(hdu.fileinfo()["datLoc"] + hdu.fileinfo()["datSpan"] == place for hdu in hdus)


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "r.fits"
    write_ramp(ramp((70, 50, 1, 4)), path)
    loaded = read_ramp(path)
    path.write_bytes(path.read_bytes()[:6000])

    with pytest.raises(DataError, match="ends before its data do"):
        loaded.reads[60:]


@ANY
@given(st.data())
def test_no_damage_leads_to_anything_but_a_message(tmp_path, data):
    original = tmp_path / "whole.fits"
    if not original.exists():
        write_frame(frame(), original)
    content = bytearray(original.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    damaged = tmp_path / "damaged.fits"
    damaged.write_bytes(bytes(content))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            open_any(damaged)
        except ReduceError as problem:
            message = problem.message
        else:
            message = str(damaged)
    assert str(damaged) in message


@ANY
@given(
    st.sampled_from(
        [b"NAXIS1  =", b"NAXIS   =", b"BITPIX  =", b"PCOUNT  =", b"BZERO   =", b"EXTNAME =", b"TFORM1  ="]
    ),
    st.sampled_from(["-5", "999999999", "0", "'text'", "1.5", "T", "", "99999999999999999999", "7"]),
    st.integers(0, 3),
)
def test_no_wrong_card_leads_to_anything_but_a_message(tmp_path, keyword, value, which):
    original = tmp_path / "whole.fits"
    if not original.exists():
        write_frame(frame(), original)
    content = bytearray(original.read_bytes())
    place = -1
    for _ in range(which + 1):
        place = content.find(keyword, place + 1)
    if place >= 0:
        content[place + 9 : place + 80] = f" {value:>20}".ljust(71).encode()
    damaged = tmp_path / "damaged.fits"
    damaged.write_bytes(bytes(content))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            open_any(damaged)
        except ReduceError as problem:
            message = problem.message
        else:
            message = str(damaged)
    assert str(damaged) in message


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("FLUX", IMAGE, "has no image SCI or DATA; it has PRIMARY, FLUX (6, 5)"),
        ("SCI", np.ones((3, 6, 5), np.float32), "the shape (3, 6, 5)"),
        ("SCI", np.ones(5, np.float32), "the shape (5,)"),
        ("SCI", None, "no data"),
        ("SCI", np.zeros(3, dtype=[("A", "f4")]), "no data"),
    ],
)
def test_a_frame_without_an_image_is_refused(tmp_path, name, array, said):
    assert said in refused(read_frame, write(tmp_path / "f.fits", (name, array)))


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("DQ", np.zeros((5, 6), np.uint16), "DQ has the shape (5, 6), the image (6, 5)"),
        ("DQ", np.zeros(SHAPE, np.float32), "whole numbers were expected"),
        ("ERR", np.zeros((7, 5), np.float32), "the shape (7, 5)"),
        ("VAR_POISSON", np.zeros((6, 5, 2), np.float32), "POISSON has the shape (6, 5, 2)"),
        (
            "DQ_DEF",
            np.array([("HOT", -1)], dtype=[("NAME", "S5"), ("VALUE", "i4")]),
            "gives HOT the value -1",
        ),
        ("DQ_DEF", np.array([(1,)], dtype=[("BIT", "i4")]), "has no column VALUE, NAME"),
        ("STEPS", np.array([(1,)], dtype=[("ORDER", "i4")]), "has no column STEP"),
    ],
)
def test_arrays_that_do_not_go_with_the_image_are_refused(tmp_path, name, array, said):
    path = write(tmp_path / "f.fits", ("SCI", IMAGE), ("DQ", np.ones(SHAPE, np.uint16)), (name, array))
    if name == "DQ":
        path = write(tmp_path / "g.fits", ("SCI", IMAGE), (name, array))

    assert said in refused(read_frame, path)


READS = np.zeros((6, 5, 2, 4), np.uint16)
TIMES = np.tile(np.arange(1.0, 5), (2, 1))


@pytest.mark.parametrize(
    ("extensions", "said"),
    [
        ([("SCI", IMAGE)], "four axes"),
        ([("TIMES", TIMES)], "no reads in SCI or DATA"),
        ([("DATA", np.zeros((6, 5, 4), np.uint16)), ("TIMES", TIMES)], "four axes"),
        ([("DATA", READS)], "has no TIMES"),
        ([("DATA", READS), ("TIMES", TIMES[:, :3])], "TIMES has the shape (2, 3)"),
        ([("DATA", READS), ("TIMES", TIMES[:, ::-1].copy())], "do not increase"),
        ([("DATA", READS), ("TIMES", TIMES * np.nan)], "TIMES has nan"),
        ([("DATA", READS), ("TIMES", TIMES), ("DQ", np.zeros((6, 5, 2, 3), np.uint16))], "the reads' DQ has"),
        ([("DATA", READS), ("TIMES", TIMES), ("DQ", np.zeros(READS.shape))], "whole numbers"),
        ([("DATA", READS), ("TIMES", TIMES), ("PIXELDQ", np.zeros((2, 2), np.uint32))], "PIXELDQ is"),
    ],
)
def test_ramps_that_do_not_hang_together_are_refused(tmp_path, extensions, said):
    assert said in refused(read_ramp, write(tmp_path / "r.fits", *extensions))


@pytest.mark.parametrize("axis", [1, 2, 3, 4])
def test_a_ramp_of_nothing_is_refused(tmp_path, axis):
    path = write(tmp_path / "r.fits", ("TIMES", TIMES), ("DATA", READS))
    content = bytearray(path.read_bytes())
    start = content.index(b"EXTNAME = 'DATA")
    place = content.rindex(f"NAXIS{axis}  =".encode(), 0, start)
    content[place + 10 : place + 30] = b"0".rjust(20)
    header_end = -(-(start + 80) // 2880) * 2880
    path.write_bytes(bytes(content[:header_end]))

    assert "has no reads" in refused(read_ramp, path)


@pytest.mark.parametrize(("column", "value"), [("STATUS", "DONE"), ("PARAMETERS", "{"), ("REASON", "\\u12")])
def test_a_damaged_history_is_refused(tmp_path, column, value):
    path = tmp_path / "f.fits"
    write_frame(frame(), path)
    with fits.open(path, mode="update") as hdus:
        hdus["STEPS"].data[column][0] = value

    assert "history" in refused(read_provenance, path)


# Disks that fill up


class Full:
    """Lets so many bytes be written and then fails as a full disk does."""

    def __init__(self, allowed, code):
        self.allowed = allowed
        self.code = code

    def __call__(self, stream, data):
        self.allowed -= len(memoryview(data).cast("B"))
        if self.allowed < 0:
            raise OSError(self.code, "no space")
        stream.write(data)


@pytest.mark.parametrize("allowed", [0, 3000, 9000, 40_000])
@pytest.mark.parametrize(
    ("code", "said"), [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "quota"), (errno.EIO, "space")]
)
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, allowed, code, said):
    monkeypatch.setattr("reduce.files.streams.write_all", Full(allowed, code))
    with pytest.raises(OutputError, match=said):
        write_frame(frame((40, 40)), tmp_path / "f.fits")

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_older_product(tmp_path, monkeypatch):
    path = tmp_path / "f.fits"
    write_frame(frame(seed=1), path)
    with monkeypatch.context() as patch:
        patch.setattr("reduce.files.streams.write_all", Full(9000, errno.ENOSPC))
        with pytest.raises(OutputError, match="the disk is full"):
            write_frame(frame((40, 40), seed=2), path, overwrite=True)

    assert same(read_frame(path), frame(seed=1))
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fails_at_the_very_end_leaves_nothing(tmp_path, monkeypatch):
    def fail(handle):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr("reduce.files.atomic.os.fsync", fail)
    with pytest.raises(OutputError, match="the disk is full"):
        write_frame(frame(), tmp_path / "f.fits")

    assert list(tmp_path.iterdir()) == []


def test_a_limit_on_the_size_of_files_leaves_nothing(tmp_path):
    code = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from reduce_files import frame
        from reduce.errors import OutputError
        from reduce.files.writer import write_frame
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            write_frame(frame((100, 100)), Path(sys.argv[1]) / "f.fits")
        except OutputError as problem:
            print(problem.message)
    """)
    arguments = [sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)

    assert "larger than a file may be" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_somebody_who_stops_the_program_leaves_nothing(tmp_path, monkeypatch):
    def stop(stream, hdu):
        stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("reduce.files.writer.write_hdu", stop)
    with pytest.raises(KeyboardInterrupt):
        write_frame(frame(), tmp_path / "f.fits")

    assert list(tmp_path.iterdir()) == []


def test_an_input_that_breaks_while_it_is_copied_leaves_nothing(tmp_path):
    path = tmp_path / "r.fits"
    write_ramp(ramp((70, 50, 1, 4)), path)
    loaded = read_ramp(path)
    path.write_bytes(path.read_bytes()[:6000])

    with pytest.raises(DataError, match="ends before its data do"):
        write_ramp(loaded, tmp_path / "copy.fits")
    assert list(tmp_path.iterdir()) == [path]


def test_what_fits_can_not_hold_is_refused(tmp_path):
    with pytest.raises(DataError, match="complex64"):
        write_frame(frame(planes={"FOURIER": np.ones((7, 5), np.complex64)}), tmp_path / "f.fits")

    assert list(tmp_path.iterdir()) == []


def test_a_short_write_is_gone_on_with(tmp_path, monkeypatch):
    from reduce.files.atomic import write_all

    class Slow:
        def __init__(self):
            self.data = b""

        def write(self, piece):
            self.data += bytes(piece[:7])
            return min(7, len(piece))

    slow = Slow()
    write_all(slow, np.arange(100, dtype=np.int32).data)

    assert slow.data == np.arange(100, dtype=np.int32).tobytes()


def test_a_frame_without_a_date_names_every_keyword_for_it(repo_root):
    from reduce.keywords import date

    path = next((repo_root / "exposures").glob("*-004_*.fits"))
    with pytest.raises(DataError, match="DATE-BEG") as caught:
        date(read_frame(path).header)

    for keyword in ("EXPDTST", "EXPJDST", "EXPSTDT and EXPSTTM", "DATETOBS", "DATE-OBS and TIME-OBS", "DATE"):
        assert keyword in (caught.value.hint or "")
