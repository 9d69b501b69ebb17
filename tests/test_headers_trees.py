"""Headers kept as nested data: JSON, YAML and ASDF."""

import json
from pathlib import Path

import pytest

from calmap.errors import HeaderError
from calmap.headers import read_header, read_headers

NESTED = {
    "meta": {"instrument": {"name": "IRIS", "scale": 0.004}, "date": "2024-09-24 00:00:00", "tso": True},
    "filter": "Y",
    "nothing": None,
    "list": ["a", 1, ["b"]],
}
FLAT = {
    "META.INSTRUMENT.NAME": "IRIS",
    "META.INSTRUMENT.SCALE": "0.004",
    "META.DATE": "2024-09-24 00:00:00",
    "META.TSO": "True",
    "FILTER": "Y",
    "LIST": "('a', '1', ('b',))",
}


def test_nested_json_becomes_dotted_keywords(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for indent in (None, 2):
        path.write_text(json.dumps(NESTED, indent=indent))
        assert read_header(path) == FLAT


def test_a_data_model_is_one_header(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"meta": {"telescope": "TMT"}}')
    assert list(read_headers(path)) == [(str(path), {"META.TELESCOPE": "TMT"})]


@pytest.mark.parametrize("separator", ["\n", "\n\n", "together"])
def test_many_headers_in_a_file(separator: str, tmp_path: Path) -> None:
    headers = {f"A{i}:B{i}": {"filter": "Y", "N": i} for i in range(3)}
    path = tmp_path / "dump.json"
    if separator == "together":
        path.write_text(json.dumps(headers, indent=1))
    else:
        path.write_text(separator.join(json.dumps({name: header}) for name, header in headers.items()))
    assert dict(read_headers(path)) == {name: {"FILTER": "Y", "N": name[-1]} for name in headers}
    with pytest.raises(HeaderError, match="more than one dataset"):
        read_header(path)


def test_yaml_values_stay_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        "meta:\n  filter: Y\n  time: 12:30:45\n  date: 2024-09-24\n  version: 1.10\n"
        "  pupil: 'N/A'\n  none: ~\n  again: &a {on: off}\n  more: *a\n"
    )
    assert read_header(path) == {
        "META.FILTER": "Y",
        "META.TIME": "12:30:45",
        "META.DATE": "2024-09-24",
        "META.VERSION": "1.10",
        "META.PUPIL": "N/A",
        "META.AGAIN.ON": "off",
        "META.MORE.ON": "off",
    }


def test_yaml_tags_run_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"a: !!python/object/apply:os.mkdir ['{tmp_path}/made']\n")
    assert read_header(path) == {"A": f"('{tmp_path}/made',)"}
    assert not (tmp_path / "made").exists()


def test_asdf_files_read_as_the_asdf_package_reads_them(tmp_path: Path) -> None:
    asdf = pytest.importorskip("asdf")
    np = pytest.importorskip("numpy")
    path = tmp_path / "x.asdf"
    tree = {"roman": {"meta": {"instrument": {"name": "WFI", "detector": "WFI16"}}, "data": np.zeros(300)}}
    asdf.AsdfFile(tree).write_to(path)
    header = read_header(path)
    assert header["ROMAN.META.INSTRUMENT.NAME"] == "WFI"
    assert header["ROMAN.META.INSTRUMENT.DETECTOR"] == "WFI16"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("roman/roman_wfi16_f158_flat_small.asdf", {"ROMAN.META.INSTRUMENT.OPTICAL_ELEMENT": "F158"}),
        ("jwst/jwst_miri_distortion_0022.asdf", {"META.INSTRUMENT.CHANNEL": "12"}),
        ("jwst/valid_with_astropy_time.asdf", {"META.USEAFTER": "2015-11-01T00:00:00.000"}),
        ("jwst/valid.json", {"META.SUBARRAY.XSIZE": "1032", "DATAMODL": "DistortionModel"}),
        ("hst/test_cos.json", {"INSTRUME": "COS", "DATE-OBS": "2014-01-24"}),
    ],
)
def test_real_files(name: str, expected: dict[str, str], corpus: Path) -> None:
    header = read_header(corpus / "files" / name)
    assert {key: header.get(key) for key in expected} == expected


def test_the_dataset_names_of_real_dumps(corpus: Path) -> None:
    names = [name for name, _ in read_headers(corpus / "files" / "hst" / "canary.json")]
    assert names == ["LA7803FIQ:LA7803FIQ"]


def test_headers_without_a_name_are_called_by_their_line(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_text('{"A": 1}\n{"A": 2}\n\n{"x": {"A": 3}}\n{"A": 4}\n')

    assert [name for name, _ in read_headers(path)] == [f"{path}:1", f"{path}:2", "x", f"{path}:5"]

    path.write_text('{"A": 1}\n\n')
    assert [name for name, _ in read_headers(path)] == [str(path)]
