"""Real reference files: good ones pass, bad ones are refused for the right reason.

Where crds certify can judge them too, with the constraints of its own package, it says the same; the
differences are told beside the file.
"""

import pytest

from calmap.cache.settings import resolve_settings
from calmap.certify.certifier import Certifier
from calmap.certify.equipment import certifier
from calmap.diagnostics import Severity
from calmap.errors import HeaderError
from calmap.observatories import load_observatory

PASS = ()
FILES = {
    "hst/acs_fitsverify_warning.fits": PASS,
    "hst/acs_new_idc.fits": PASS,
    "hst/j4d1435jj_bpx.fits": PASS,
    "hst/s7g1700gl_dead_dup2.fits": PASS,
    "hst/s7g1700gl_dead_good_xsum.fits": PASS,
    "hst/s7g1700hl_dead.fits": PASS,
    "hst/v8q14451j_idc.fits": PASS,
    "hst/y951738kl_hv.fits": PASS,
    "hst/y9j16159l_hv.fits": ("2 modes are there more than once: DATE=56924.0417; DATE=56925.0",),
    "hst/s7g1700gm_dead_broken.fits": ("DETECTOR is 'BROKEN', expected one of FUV, NUV",),
    "hst/x2i1559gl_wcp.fits": ("can't be inserted: the header has no value for LIFE_ADJ",),
    "hst/cos_N8XTZCAWQ.fits": ("FILETYPE = 'SCI' is no reference type", "USEAFTER has", "PEDIGREE has"),
    # crds only passes on what astropy says of it.
    "hst/truncated.fits": ("the file ends 1640 bytes early",),
    # Files for SYNPHOT name neither an instrument nor a type in the usual way; crds has code for them.
    "hst/tae17277m_tmt.fits": ("hst has no instrument 'HST'",),
    "hst/wfc3_uvis_f469nf2_003_syn.fits": ("the header names no reference type",),
    "hst/test-source.fits": ("the header names no instrument",),
    "jwst/jwst_miri_ipc.bad-value.fits": ("META.INSTRUMENT.DETECTOR (P_DETECT) is 'FOO'", "an observation"),
    "jwst/jwst_nirspec_ipc_with_asdf_extension.fits": ("a FITS file should not have an ASDF extension",),
    "jwst/jwst_miri_distortion_0022.asdf": PASS,
    "jwst/jwst_fgs_distortion_bad_asdf_version.asdf": PASS,
    "jwst/valid.json": PASS,
    "jwst/valid_with_astropy_time.asdf": PASS,
    "jwst/jwst_nircam_specwcs_1_4_0.asdf": ("META.HISTORY has no value",),
    "jwst/jwst_miri_distortion_0001.asdf": (
        *("META.TELESCOPE has", "META.USEAFTER has", "META.DESCRIPTION has"),
        *("can't be inserted: the header has no useafter date", "META.HISTORY has"),
    ),
    "roman/roman_wfi16_f158_flat_small.asdf": PASS,
    "roman/roman_wfi16_f158_flat_badtype.asdf": ("ROMAN.META.REFTYPE = 'badtype' is no reference type",),
    "roman/roman_wfi16_grism_flat_invalid_schema.asdf": (
        "ROMAN.META.USEAFTER is 'yesterday', which is no date",
        "can't be inserted: ROMAN.META.USEAFTER: 'yesterday' is not a date",
    ),
    "roman/roman_wfi16_grism_flat_invalid_tpn.asdf": (
        "ROMAN.META.INSTRUMENT.OPTICAL_ELEMENT is 'BAD', expected one of F062",
    ),
    "roman/roman_wfi_pars-exposurepipeline.asdf": ("can't be inserted: the header has no value for",),
    "roman/roman_wfi_pars-exposurepipeline_invalid_schema.asdf": ("roman has no instrument 'BAD'",),
}  # fmt: skip


@pytest.fixture(scope="module")
def certifiers(corpus) -> dict[str, Certifier]:
    made = {}
    for name in ("hst", "jwst", "roman"):
        options = {"cache": str(corpus / "crds-cache"), "observatory": name, "context": None}
        made[name] = certifier(load_observatory(name), resolve_settings(options, {}, corpus))
    return made


@pytest.mark.parametrize("name", FILES)
def test_real_files(name, corpus, certifiers):
    certificate = certifiers[name.partition("/")[0]].certify(corpus / "files" / name)
    found = [finding.message for finding in certificate.findings if finding.severity is not Severity.INFO]

    assert len(found) == len(FILES[name]), found
    assert all(one.startswith(other) for one, other in zip(found, FILES[name], strict=True)), found


@pytest.mark.parametrize("name", ["invalid.asdf", "invalid.json", "invalid.yaml"])
def test_what_can_not_be_read_is_refused(name, corpus, certifiers):
    with pytest.raises(HeaderError):
        certifiers["jwst"].certify(corpus / "files/jwst" / name)


@pytest.mark.parametrize("folder", ["hst", "jwst", "misc", "roman"])
def test_no_file_gives_a_traceback(folder, corpus, certifiers):
    for path in sorted((corpus / "files" / folder).iterdir()):
        try:
            assert certifiers.get(folder, certifiers["jwst"]).certify(path).file == str(path)
        except HeaderError as problem:
            assert problem.message  # noqa: PT017
