"""Draw the pictures of docs/tutorial.md anew: .venv/bin/python scripts/draw_tutorial.py (takes a minute).

The same pixels come out on every run; other versions of matplotlib draw a little differently.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from astropy.visualization import ZScaleInterval
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from truthing.recovery import Recovery, recovered

from reduce.files.reader import open_any
from reduce.frame import Frame, Ramp

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
COLORS = 64
_SIZE, _SHOWN = 512, 150
_GREY, _LINE = "0.35", "tab:orange"


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the pictures of the tutorial anew.")
    parser.add_argument("--out", type=Path, default=IMAGES, help="where to (docs/images)")
    out = parser.parse_args().out
    matplotlib.rcParams.update({"font.size": 9, "svg.hashsalt": "calmap"})
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "night"
        found = recovered(folder, size=_SIZE, seed=1, remade=True)
        save(frames(folder), out / "tutorial-frames.png")
        save(references(folder), out / "tutorial-references.png")
        save(truth(found), out / "tutorial-truth.png")


def frames(folder: Path) -> Figure:
    """An exposure raw and calibrated, and the mosaic: the same corner of each."""
    raw = open_any(next((folder / "raw").glob("*M92*_0048-00.fits")))
    assert isinstance(raw, Ramp)
    reads = np.asarray(raw.reads[:], dtype=np.float32)
    panels = {"raw: last read minus first, DN": reads[:, :, 0, -1] - reads[:, :, 0, 0]}
    products = {"calibrated, µJy": "*M92*LVL2_0048-00.fits", "mosaic of 5, µJy": "*M92*LVL3*.fits"}
    for title, name in products.items():
        panels[title] = image(next((folder / "products").glob(name)))
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    for axes, (title, data) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        show(axes, data[:_SHOWN, :_SHOWN], title)
    return figure


def references(folder: Path) -> Figure:
    """A dark and a flat that were made of the night's calibrations."""
    figure = Figure(figsize=(9.6, 4.3), layout="constrained")
    dark, flat = (image(next((folder / "new" / kind).glob("*.fits"))) for kind in ("dark", "flat"))
    for axes, data, title, limits in (
        (figure.add_subplot(1, 2, 1), dark[:_SHOWN, :_SHOWN], "dark, electron / s", (-0.1, 0.2)),
        (figure.add_subplot(1, 2, 2), flat, "flat", (0.85, 1.05)),
    ):
        figure.colorbar(show(axes, data, title, limits), ax=axes, shrink=0.8)
    return figure


def truth(found: Recovery) -> Figure:
    """How far off the stars are."""
    figure = Figure(figsize=(9.6, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    pulls = found.pulls
    left.hist(pulls, bins=np.linspace(-4, 4, 41), color=_GREY)
    at = np.linspace(-4, 4, 200)
    left.plot(at, len(pulls) * 0.2 / np.sqrt(2 * np.pi) * np.exp(-(at**2) / 2), color=_LINE, label="normal")
    left.set(xlabel="(measured − true) / error", ylabel="stars")
    left.legend(frameon=False)
    magnitudes = np.concatenate([stars.magnitudes for stars in found.frames])
    ratio = np.concatenate([stars.rates / stars.truth for stars in found.frames])
    right.plot(magnitudes, ratio, ".", color=_GREY, markersize=2)
    right.axhline(1, color=_LINE)
    right.set(xlabel="AB magnitude", ylabel="measured / true", ylim=(0.75, 1.25))
    return figure


def image(path: Path) -> NDArray[Any]:
    """The image of a file, NaN where there is none."""
    frame = open_any(path)
    assert isinstance(frame, Frame)
    return np.where(frame.dq & 1, np.nan, frame.sci) if "LVL" in path.name else frame.sci


def show(axes: Any, data: NDArray[Any], title: str, limits: tuple[float, float] | None = None) -> Any:
    """An image in grey; what can't be used is blue."""
    low, high = limits or ZScaleInterval().get_limits(data[np.isfinite(data)])
    axes.set_title(title)
    axes.set_facecolor("#5b7ea8")
    axes.set_xticks([])
    axes.set_yticks([])
    return axes.imshow(data, origin="lower", cmap="gray", vmin=low, vmax=high, interpolation="nearest")


def save(figure: Figure, path: Path) -> None:
    """Write a picture with few colours, so that it is small."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    small = Image.open(drawn).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    print(f"wrote {path}, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
