import os
import stat
import subprocess
import sys
import threading
import tracemalloc
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from reduce_files import CARDS, frame, header, history, ramp, same

from reduce.dq import DEFINITIONS, DQ
from reduce.errors import DataError, OutputError, ParameterError
from reduce.files.checksums import array_sum, encoded, folded, word_sum
from reduce.files.contents import contents
from reduce.files.reader import (
    open_any,
    read_frame,
    read_header,
    read_provenance,
    read_ramp,
)
from reduce.files.stamps import reference_keyword, stamp
from reduce.files.text import escaped, unescaped
from reduce.files.writer import write_frame, write_ramp, write_reference
from reduce.provenance import InputFile, Provenance, ReferenceUse, StepRecord
from reduce.references import Reference

UINT32 = {"dtype": np.uint32}
REFERENCE_CARDS = {
    "TELESCOP": "TMT",
    "INSTRUME": "IRIS",
    "DETECTOR": "IMG1",
    "INSTERA": "0.1.0",
    "READMODE": "DEFAULT",
    "SUBARRAY": "FULL",
}


@pytest.mark.parametrize("layout", ["standard", "liger"])
def test_a_frame_reads_back_as_it_was(tmp_path, layout):
    written = frame()
    write_frame(written, tmp_path / "f.fits", layout=layout)

    loaded = read_frame(tmp_path / "f.fits")

    assert same(loaded, written)
    assert loaded.unit == written.unit
    assert loaded.sci.dtype == written.sci.dtype
    assert {card: loaded.header[card] for card in CARDS} == CARDS
    assert loaded.sci_header["CRVAL1"] == written.sci_header["CRVAL1"]


@pytest.mark.parametrize("layout", ["standard", "liger"])
def test_a_ramp_reads_back_as_it_was(tmp_path, layout):
    written = ramp(provenance=history())
    write_ramp(written, tmp_path / "r.fits", layout=layout)

    loaded = read_ramp(tmp_path / "r.fits")

    assert np.array_equal(loaded.reads[:], written.reads)
    assert np.array_equal(loaded.groupdq[:], written.groupdq)
    assert np.array_equal(loaded.pixeldq, written.pixeldq)
    assert np.array_equal(loaded.times, written.times)
    assert loaded.provenance == written.provenance


def test_a_ramp_that_is_still_in_a_file_is_copied(tmp_path):
    write_ramp(ramp(), tmp_path / "1.fits")
    write_ramp(read_ramp(tmp_path / "1.fits"), tmp_path / "2.fits")

    assert np.array_equal(read_ramp(tmp_path / "2.fits").reads[:], ramp().reads)


@settings(deadline=None, max_examples=40)
@given(
    arrays.arrays(
        st.sampled_from(
            [
                np.float32,
                np.float64,
                np.uint8,
                np.int16,
                np.int32,
                np.int64,
                np.uint16,
                np.uint32,
                np.uint64,
                bool,
            ]
        ),
        arrays.array_shapes(min_dims=1, max_dims=4, max_side=9),
    )
)
def test_arrays_of_any_type_and_shape_read_back(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("a") / "a.fits"
    write_reference("gain", path, header=header(REFERENCE_CARDS), arrays={"SCI": array})

    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        assert np.array_equal(hdus["SCI"].data, array, equal_nan=array.dtype.kind == "f")
    assert np.array_equal(contents(path).image("SCI")[:], array, equal_nan=array.dtype.kind == "f")


def test_products_are_good_fits(tmp_path):
    write_frame(frame(), tmp_path / "f.fits")
    write_ramp(ramp(), tmp_path / "r.fits")

    for name in ("f.fits", "r.fits"):
        with fits.open(tmp_path / name, checksum=True) as hdus:
            hdus.verify("exception")
            for hdu in hdus:
                assert hdu.verify_checksum() == 1
                assert hdu.verify_datasum() == 1
                assert "DATE" not in hdu.header.comments["CHECKSUM"]


def test_checksums_see_a_changed_pixel(tmp_path):
    path = tmp_path / "f.fits"
    write_frame(frame(), path)
    with fits.open(path) as hdus:
        place = hdus["SCI"].fileinfo()["datLoc"]
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with fits.open(path, checksum=True) as hdus:
            assert hdus["SCI"].data is not None
    messages = [str(warning.message) for warning in caught]
    assert any("Datasum verification failed for HDU ('SCI', 1)" in message for message in messages)


def test_other_programs_open_a_product(tmp_path):
    written = frame()
    write_frame(written, tmp_path / "f.fits")

    ccd = CCDData.read(tmp_path / "f.fits", hdu="SCI", hdu_uncertainty="ERR")

    assert np.array_equal(ccd.data, written.sci)
    assert str(ccd.unit) == "electron / s"
    assert np.array_equal(ccd.uncertainty.array, written.err)
    assert np.allclose(
        ccd.wcs.pixel_to_world_values(0, 0), written.wcs.pixel_to_world_values(0, 0), atol=1e-12
    )
    assert np.array_equal(fits.getdata(tmp_path / "f.fits", "SCI"), written.sci)
    assert np.array_equal(fits.getdata(tmp_path / "f.fits"), written.sci)


def test_the_layout_of_the_other_pipeline_calls_the_image_data(tmp_path):
    write_frame(frame(), tmp_path / "f.fits", layout="liger")

    assert np.array_equal(fits.getdata(tmp_path / "f.fits", "DATA"), frame().sci)


def test_quality_bits_have_their_meaning_with_them(tmp_path):
    write_frame(frame(), tmp_path / "f.fits")

    table = fits.getdata(tmp_path / "f.fits", "DQ_DEF")

    assert [tuple(row)[:3] for row in table] == [(one.bit, one.value, one.name) for one in DEFINITIONS]
    with fits.open(tmp_path / "f.fits") as hdus:
        assert hdus["DQ"].data.dtype == np.uint32


def test_the_same_frame_gives_the_same_bytes(tmp_path):
    names = [folder / "f.fits" for folder in (tmp_path / "1", tmp_path / "2")]
    for name in names:
        name.parent.mkdir()
        write_frame(frame(), name)

    assert names[0].read_bytes() == names[1].read_bytes()


def test_writing_leaves_the_frame_as_it_is(tmp_path):
    written = frame()
    for array in (written.sci, written.dq, *written.variances.values(), *written.planes.values()):
        array.flags.writeable = False
    cards = str(written.header)

    write_frame(written, tmp_path / "f.fits")

    assert same(written, frame())
    assert str(written.header) == cards


def test_arrays_that_are_not_in_order_are_written_as_they_look(tmp_path):
    whole = frame((14, 10))
    cut = replace(
        whole,
        sci=whole.sci[::2, ::-2].astype(">f4"),
        dq=whole.dq[::2, ::-2],
        variances={name: variance[::2, ::-2] for name, variance in whole.variances.items()},
        planes={},
    )
    write_frame(cut, tmp_path / "f.fits")

    assert same(read_frame(tmp_path / "f.fits"), cut)


def test_an_empty_variance_has_no_error(tmp_path):
    write_frame(frame(variances={}), tmp_path / "f.fits")

    with fits.open(tmp_path / "f.fits") as hdus:
        assert "ERR" not in hdus
    assert read_frame(tmp_path / "f.fits").variances == {}


def test_known_keywords_have_comments_and_the_model_is_said(tmp_path):
    write_frame(frame(), tmp_path / "f.fits")

    cards = fits.getheader(tmp_path / "f.fits")

    assert cards["DATAMODL"] == "ImagerModel"
    assert cards["FILENAME"] == "f.fits"
    assert cards.comments["EXPTIME"] == "[s] Exposure time"


@pytest.mark.parametrize(
    ("before", "after"), [("IFUImageModel", "IFUImageModel"), ("RampModel", "ImagerModel")]
)
def test_a_frame_keeps_its_model_unless_it_was_a_ramp(tmp_path, before, after):
    write_frame(frame(header=header(DATAMODL=before)), tmp_path / "f.fits")

    assert read_header(tmp_path / "f.fits")["DATAMODL"] == after


def test_a_plane_may_not_hide_the_image(tmp_path):
    with pytest.raises(ParameterError, match="can't be called SCI"):
        write_frame(frame(planes={"SCI": frame().sci}), tmp_path / "f.fits")
    assert list(tmp_path.iterdir()) == []


# What was done


def test_history_reads_back_exactly(tmp_path):
    write_frame(frame(), tmp_path / "f.fits")

    assert read_provenance(tmp_path / "f.fits") == history()


texts = st.text(st.characters(codec="utf-8"), max_size=30)
names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20)
paths = st.none() | names.filter(lambda name: name != ".").map(lambda name: Path("/x") / name)
references = st.builds(
    Reference, texts, paths, st.sampled_from(["cache", "override", "missing"]), texts, texts, texts
)
uses = st.builds(
    lambda reference, digest: ReferenceUse(reference, digest if reference.path else ""), references, texts
)
steps = st.builds(
    StepRecord,
    texts,
    st.just("S_FLAT"),
    st.sampled_from(["COMPLETE", "SKIPPED"]),
    st.dictionaries(texts, texts, max_size=3),
    st.lists(uses, max_size=3).map(tuple),
    texts,
)
provenances = st.builds(
    Provenance,
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.lists(st.builds(InputFile, texts, texts, texts), min_size=1, max_size=3).map(tuple),
    st.lists(steps, max_size=3).map(tuple),
)


@settings(deadline=None, max_examples=30)
@given(provenances)
def test_any_history_reads_back_exactly(tmp_path_factory, provenance):
    path = tmp_path_factory.mktemp("p") / "f.fits"
    write_frame(frame((2, 2), provenance=provenance, planes={}), path)

    assert read_provenance(path) == provenance
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_kept_in_ascii(text):
    kept = escaped(text)

    assert kept.isascii()
    assert not kept.endswith(" ")
    assert unescaped(kept) == text


def test_a_header_names_every_reference_and_step():
    cards = stamp(header(), history())

    assert cards["S_DARK"] == cards["S_FLAT"] == "COMPLETE"
    assert cards["S_BIAS"] == "SKIPPED"
    assert cards["R_DARK"] == "crds://IRIS_IMG1_DARK_20250312T000000_0.0.1.fits"
    assert unescaped(cards["R_FLAT"]) == "/data/Königs flat ' .fits"
    assert cards["R_BIAS"] == "N/A"
    assert cards["CRDS_CTX"] == "ligeriri_0002.pmap"
    assert cards["CRDS_VER"] == "calmap 0.1.0"
    assert (cards["RECIPE"], cards["DRSVER"]) == ("imager", "0.1.0")


def test_what_was_only_proposed_for_a_raw_exposure_is_not_said_to_be_used():
    raw = header(R_FLAT="crds://proposed.fits", R_SATURA="crds://other.fits")
    halfway = header(R_FLAT="crds://used.fits", S_FLAT="COMPLETE")

    assert "R_SATURA" not in stamp(raw, Provenance())
    assert stamp(halfway, Provenance())["R_FLAT"] == "crds://used.fits"


def test_long_paths_are_kept_whole(tmp_path):
    path = Path("/") / "/".join(["a long folder's name"] * 20) / "flat.fits"
    reference = Reference("flat", path, "override")
    used = Provenance(
        steps=(StepRecord("flat_field", "S_FLAT", "COMPLETE", {}, (ReferenceUse(reference, ""),)),)
    )
    write_frame(frame(provenance=used), tmp_path / "f.fits")

    assert read_header(tmp_path / "f.fits")["R_FLAT"] == str(path)
    assert read_provenance(tmp_path / "f.fits") == used
    with fits.open(tmp_path / "f.fits", checksum=True) as hdus:
        hdus.verify("exception")


@pytest.mark.parametrize(
    ("reftype", "keyword"),
    [("nonlincoeff", "R_LINEAR"), ("readnoise", "R_READNO"), ("Something-New", "R_SOMETH")],
)
def test_each_type_has_a_keyword(reftype, keyword):
    assert reference_keyword(reftype) == keyword


def test_a_file_keeps_the_history_it_came_with(tmp_path):
    write_frame(frame(), tmp_path / "1.fits")
    first = read_frame(tmp_path / "1.fits")
    record = StepRecord("sky", "S_SKYSUB", "COMPLETE")
    write_frame(replace(first, provenance=first.provenance.after(record)), tmp_path / "2.fits")

    second = read_frame(tmp_path / "2.fits")

    assert [step.step for step in second.provenance.steps] == ["dark", "flat_field", "bias", "sky"]
    assert second.header["R_DARK"] == first.header["R_DARK"]


# Reference files


def test_a_dark_can_be_made_and_used(tmp_path):
    image = np.ones((4, 4), np.float32)
    write_reference(
        "dark",
        tmp_path / "d.fits",
        header=header(REFERENCE_CARDS, AUTHOR="calmap"),
        arrays={"SCI": image, "ERR": image * 2, "DQ": np.zeros((4, 4), **UINT32)},
        units={"SCI": "electron / s"},
        provenance=history(),
    )

    loaded = read_frame(tmp_path / "d.fits")

    assert np.array_equal(loaded.variances["OTHER"], image * 4)
    assert loaded.unit == "electron / s"
    assert (loaded.header["DATAMODL"], loaded.header["REFTYPE"]) == ("DarkModel", "DARK")
    assert read_provenance(tmp_path / "d.fits") == history()


def test_coefficients_have_no_quality_table(tmp_path):
    coefficients = np.random.default_rng(1).normal(size=(4, 4, 3)).astype(np.float32)
    write_reference(
        "nonlincoeff",
        tmp_path / "c.fits",
        header=header(REFERENCE_CARDS),
        arrays={"COEFFS": coefficients},
        comments={"COEFFS": "linear = sum over k of COEFFS[y, x, k] * raw**k"},
    )

    assert np.array_equal(contents(tmp_path / "c.fits").image("COEFFS")[:], coefficients)
    with fits.open(tmp_path / "c.fits") as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "COEFFS"]


def test_a_reference_that_others_could_not_use_is_not_written(tmp_path):
    cards = header({**REFERENCE_CARDS, "SUBARRAY": "HALF"})
    del cards["READMODE"]
    with pytest.raises(DataError, match="READMODE") as caught:
        write_reference("dark", tmp_path / "d.fits", header=cards, arrays={"SCI": np.ones((4, 4))})

    assert "'HALF' is none of FULL" in caught.value.message
    assert "no array ERR" in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_type_of_reference_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="no data model for references of type cake"):
        write_reference("cake", tmp_path / "d.fits", header=header(), arrays={})


# Whole or not at all


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "f.fits"
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists") as caught:
        write_frame(frame(), path)

    assert path.read_bytes() == b"precious"
    assert caught.value.hint
    assert os.listdir(tmp_path) == ["f.fits"]  # noqa: PTH208
    write_frame(frame(), path, overwrite=True)
    assert same(read_frame(path), frame())


def test_a_dangling_link_counts_as_a_file(tmp_path):
    (tmp_path / "f.fits").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists"):
        write_frame(frame(), tmp_path / "f.fits")


def test_of_several_writers_one_wins(tmp_path):
    path = tmp_path / "f.fits"
    outcomes = []

    def work(seed):
        try:
            write_frame(frame(seed=seed), path)
            outcomes.append(seed)
        except OutputError:
            pass

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 1
    assert same(read_frame(path), frame(seed=outcomes[0]))
    assert [one.name for one in tmp_path.iterdir()] == ["f.fits"]


def test_folders_without_hard_links_are_written_to_as_well(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write_frame(frame(), tmp_path / "f.fits")

    assert same(read_frame(tmp_path / "f.fits"), frame())
    with pytest.raises(OutputError, match="exists"):
        write_frame(frame(), tmp_path / "f.fits")
    assert [one.name for one in tmp_path.iterdir()] == ["f.fits"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    write_frame(frame(), tmp_path / "f.fits")

    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "f.fits")}
    assert len(modes) == 1


@pytest.mark.parametrize("name", ["missing/f.fits", "."])
def test_a_place_where_no_file_can_be_is_named(tmp_path, name):
    with pytest.raises(OutputError, match=r"no folder|is a folder"):
        write_frame(frame(), tmp_path / name)


def test_names_that_are_not_ascii_are_fine(tmp_path):
    path = tmp_path / "Größe 1.fits"
    write_frame(frame(), path)

    assert unescaped(read_header(path)["FILENAME"]) == path.name


# Sums and memory


@settings(deadline=None)
@given(
    arrays.arrays(st.sampled_from([np.uint8, np.int16, np.float32, np.float64, np.int64]), st.integers(0, 67))
)
def test_sums_of_arrays_are_those_of_their_bytes(array):
    stored = array.astype(array.dtype.newbyteorder(">")).tobytes()

    assert folded(array_sum(array)) == folded(word_sum(stored))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_characters_of_a_checksum_complete_it(total):
    text = encoded(total)
    words = word_sum((text[1:] + text[:1]).encode()) - word_sum(b"0" * 16)

    assert text.isalnum()
    assert (total + words) % (2**32 - 1) == 0


def test_writing_takes_little_memory(tmp_path):
    written = frame((1500, 1500), planes={})
    tracemalloc.start()
    try:
        write_frame(written, tmp_path / "f.fits")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 60_000_000
    assert (tmp_path / "f.fits").stat().st_size > 5 * written.sci.nbytes


def test_flags_survive_at_both_ends(tmp_path):
    dq = np.full((7, 5), DQ.REFERENCE_PIXEL | DQ.DO_NOT_USE, dtype=np.uint32)
    write_frame(frame(dq=dq), tmp_path / "f.fits")

    assert np.array_equal(read_frame(tmp_path / "f.fits").dq, dq)


def test_writing_leaves_astropy_alone_until_it_is_needed():
    code = "import sys, reduce.files.writer, reduce.files.reader; print('astropy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False"]


def test_a_product_is_told_from_a_ramp(tmp_path):
    write_frame(frame(), tmp_path / "f.fits")

    assert same(open_any(tmp_path / "f.fits"), frame())
