"""Steps refuse references in other units, and convert no counts twice."""

import numpy as np
import pytest
from reduce_files import frame, header, ramp, write

from reduce.dq import DQ, flagged
from reduce.errors import DataError
from reduce.library import Library
from reduce.pipeline import Task, run
from reduce.provenance import Provenance
from reduce.references import NoReferences, Overrides
from reduce.steps import STEPS
from reduce.steps.units import same_unit

SHAPE = (6, 5, 1, 4)
READS = np.cumsum(np.full(SHAPE, 20.0, np.float32), axis=3)


def tasks(*names):
    return [Task(STEPS[name], STEPS[name].parameters()) for name in names]


def reads(unit, **fields):
    given = {"reads": READS, "groupdq": None, "sci_header": header({"BUNIT": unit})}
    return ramp(SHAPE, **{**given, **fields})


def reference(path, reftype, unit, value=2.0):
    from astropy.io import fits

    write(path, ("SCI", np.full(SHAPE[:2], value, np.float32)), ("DQ", np.zeros(SHAPE[:2], np.uint32)))
    fits.setval(path, "BUNIT", value=unit, ext=1)
    return Library(Overrides({reftype: path}, NoReferences()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("electron / s", "e-/s"),
        ("electron s-1", "electron/s"),
        ("electron.s-1", "electrons / s"),
        ("electron s**-1", "e- s-1"),
        ("DN", "adu"),
        ("counts", "DN"),
        ("electron / DN", "e-/ADU"),
    ],
)
def test_spellings_of_one_unit(one, other):
    assert same_unit(one, other)
    assert same_unit(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("DN", "DN / s"), ("electron", "DN"), ("", "DN"), ("electron / s", "electron / DN")]
)
def test_units_that_differ(one, other):
    assert not same_unit(one, other)


@pytest.mark.parametrize(
    ("step", "reftype", "unit", "needed"),
    [
        ("bias", "bias", "electron", "DN"),
        ("saturation", "saturation", "electron", "DN"),
        ("gain_scale", "gain", "DN / electron", "electron / DN"),
        ("ramp_fit", "readnoise", "DN", "electron"),
    ],
)
def test_references_for_reads_in_another_unit_are_refused(tmp_path, step, reftype, unit, needed):
    library = reference(tmp_path / "r.fits", reftype, unit)
    data = reads("electron" if step == "ramp_fit" else "DN")

    with pytest.raises(DataError, match=rf"r\.fits is in {unit}, and {needed} is needed") as caught:
        run(data, tasks(step), library)
    assert f"another {reftype} with --override" in caught.value.hint
    run(data, tasks(step), reference(tmp_path / "same.fits", reftype, needed))
    run(data, tasks(step), reference(tmp_path / "unknown.fits", reftype, ""))


def test_a_dark_in_counts_is_refused(tmp_path):
    write(tmp_path / "d.fits", ("SCI", np.ones((7, 5), np.float32)), cards={"BUNIT": "DN / s"})
    library = Library(Overrides({"dark": tmp_path / "d.fits"}, NoReferences()))

    with pytest.raises(DataError, match="is in DN / s, and electron / s is needed"):
        run(frame(provenance=Provenance()), tasks("dark_sub"), library)


@pytest.mark.parametrize("unit", ["electron", "electrons", "e-"])
def test_electrons_are_not_converted_again_by_a_gain_that_is_there(tmp_path, unit):
    library = reference(tmp_path / "g.fits", "gain", "electron / DN")

    result = run(reads(unit), tasks("gain_scale"), library)

    assert result.provenance.steps[0].status == "SKIPPED"
    assert np.array_equal(result.reads, READS)
    assert np.allclose(run(reads("DN"), tasks("gain_scale"), library).reads, 2 * READS)


def test_reference_pixels_are_no_pixels_for_science():
    """They take part in no level and no picture, whatever the flat says of them."""
    flags = np.zeros(SHAPE[:2], np.uint32)
    flags[0], flags[3, 2] = DQ.REFERENCE_PIXEL, DQ.WARM

    result = run(reads("electron", pixeldq=flags), tasks("ramp_fit"), Library(NoReferences()))

    assert flagged(result.dq, DQ.NON_SCIENCE)[0].all()
    assert flagged(result.dq)[0].all()
    assert not flagged(result.dq, DQ.DO_NOT_USE | DQ.NON_SCIENCE)[1:].any()
    assert flags[0, 0] == DQ.REFERENCE_PIXEL
    assert result.dq[3, 2] == DQ.WARM
