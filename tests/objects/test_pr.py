"""Presentation states, judged by dciodvfy, pydicom and Little CMS."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest

from radfuse.core.errors import InvalidObject, UnreadableObject
from radfuse.objects.common import Reference, encode, reference_to
from radfuse.objects.pr import (
    HOT_BLUE,
    HOT_IRON,
    PALETTES,
    Area,
    Blend,
    Drawing,
    Naming,
    Palette,
    Rescale,
    StateKind,
    View,
    Window,
    build_blending,
    build_presentation,
    read_presentation,
)
from radfuse.objects.pr.icc import srgb_profile
from tests.objects.documents import IMAGES, PROVENANCE, SERIES, image, making
from tests.support import judges

_CT = tuple(image(number, "CT") for number in (1, 2))
_SOFT = Window(40, 400, explanation="Soft tissue")
_REGISTRATION = Reference("1.2.840.10008.5.1.4.1.1.66.1", "2.25.81", "2.25.80", "2.25.100")
_DRAWINGS = (
    Drawing((reference_to(_CT[0]),), ((2.0, 3.0), (5.5, 6.0)), "POLYLINE"),
    Drawing((reference_to(_CT[1]),), ((4.0, 4.0),), text="here ↓"),
)


def _state(view: View) -> pydicom.Dataset:
    naming = Naming("SOFT_TISSUE", "as it was read")
    return build_presentation(view, naming, provenance=PROVENANCE, series=SERIES, making=making())


def _blend(blend: Blend) -> pydicom.Dataset:
    return build_blending(blend, Naming("FUSION"), provenance=PROVENANCE, series=SERIES, making=making())


def _fusion(opacity: float = 0.5) -> Blend:
    return Blend(View(_CT, _SOFT), View(IMAGES, Window(5, 10)), HOT_BLUE, opacity, (_REGISTRATION,))


@pytest.mark.parametrize(
    "view",
    [
        View(_CT, _SOFT),
        View(_CT, _SOFT, Area((2, 2), (9, 7)), _DRAWINGS, is_inverted=True),
        View(_CT, _SOFT, palette=HOT_IRON),
    ],
    ids=["grayscale", "grayscale with drawings", "pseudo-colour"],
)
def test_dciodvfy_accepts_states_of_one_series_and_they_are_read_as_written(view: View, tmp_path: Path) -> None:
    path = judges.written(_state(view), tmp_path)
    assert judges.dciodvfy(path) == []
    read = read_presentation(path.read_bytes())
    assert read.findings == ()
    assert read.windows == ((_SOFT, ()),)
    assert read.rescale == Rescale(1, -1024, "HU")
    assert [one.sop_instance_uid for one in read.references] == [one.SOPInstanceUID for one in _CT]
    assert read.references[0].series_uid == _CT[0].SeriesInstanceUID
    assert read.areas == ((view.area,) if view.area else (Area((1, 1), (10, 8)),))
    assert [(one.graphic, one.points, one.text) for one in read.drawings] == [
        (one.graphic, one.points, one.text) for one in view.drawings
    ]
    assert read.is_inverted == view.is_inverted
    assert (read.palette is None) == (view.palette is None)


def test_pydicom_paints_with_the_palette(tmp_path: Path) -> None:
    from pydicom.pixels.processing import apply_color_lut

    ds = pydicom.dcmread(judges.written(_state(View(_CT, _SOFT, palette=HOT_IRON)), tmp_path))
    assert np.array_equal(apply_color_lut(np.arange(256, dtype=np.uint8), ds), HOT_IRON.entries)


def test_dciodvfy_accepts_a_blend_and_it_is_read_as_written(tmp_path: Path) -> None:
    path = judges.written(_blend(_fusion(0.375)), tmp_path)
    assert judges.dciodvfy(path) == []
    read = read_presentation(path.read_bytes())
    assert read.kind is StateKind.BLENDING
    assert read.opacity == 0.375
    assert read.underlying is not None
    assert read.superimposed is not None
    assert (read.underlying.window, read.underlying.rescale) == (_SOFT, Rescale(1, -1024, "HU"))
    assert read.superimposed.window == Window(5, 10)
    assert {one.series_uid for one in read.superimposed.references} == {IMAGES[0].SeriesInstanceUID}
    assert read.superimposed.study_uid == "2.25.100"
    assert read.palette is not None
    assert np.array_equal(read.palette.entries, HOT_BLUE.entries)
    assert read.registration_uids == ("2.25.81",)
    assert read.findings == ()


def test_the_same_state_is_the_same_bytes() -> None:
    assert encode(_blend(_fusion())) == encode(_blend(_fusion()))


def test_the_colour_space_is_one_that_little_cms_reads_as_srgb() -> None:
    from PIL import Image, ImageCms

    ours = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    theirs = ImageCms.createProfile("sRGB")
    ramp = np.arange(0, 256, 5, dtype=np.uint8)
    colours = np.stack(np.meshgrid(ramp, ramp, ramp[:4], indexing="ij"), axis=-1).reshape(len(ramp), -1, 3)
    turned = ImageCms.profileToProfile(Image.fromarray(colours), ours, theirs)
    assert turned is not None
    difference = np.asarray(turned).astype(int) - colours.astype(int)
    assert np.abs(difference).max() <= 2


def test_images_with_a_rescale_each_are_refused_and_it_says_what_to_do() -> None:
    pets = [image(number) for number in (1, 2)]
    pets[1].RescaleSlope = 2
    with pytest.raises(InvalidObject, match="resample them first"):
        _state(View(tuple(pets), _SOFT))
    with pytest.raises(InvalidObject, match="resample them first"):
        _blend(Blend(View(_CT, _SOFT), View(tuple(pets), _SOFT), HOT_BLUE, 0.5))


def test_images_of_different_sizes_and_an_opacity_that_is_none_are_refused() -> None:
    small = image(3, "CT")
    small.Rows = 4
    with pytest.raises(InvalidObject, match="different sizes"):
        _state(View((*_CT, small), _SOFT))
    with pytest.raises(InvalidObject, match="or none"):
        del small.Rows
        _state(View((small,), _SOFT))
    with pytest.raises(InvalidObject, match="between 0 and 1"):
        _blend(_fusion(1.5))
    with pytest.raises(InvalidObject, match="needs images"):
        _state(View((), _SOFT))


def test_images_without_a_rescale_or_a_unit_of_it_make_a_state_too() -> None:
    plain = image(1, "CT")
    del plain.RescaleSlope
    assert read_presentation(encode(_state(View((plain,), _SOFT)))).rescale is None
    assert read_presentation(encode(_state(View((image(),), _SOFT)))).rescale == Rescale(1, 0, "US")
    named = image()
    named.RescaleType = "BQML"
    assert read_presentation(encode(_state(View((named,), _SOFT)))).rescale == Rescale(1, 0, "BQML")


@pytest.mark.parametrize("width", [0.0, -5.0, float("nan")])
def test_a_window_without_width_is_refused(width: float) -> None:
    with pytest.raises(InvalidObject, match="no width"):
        Window(40, width)


def test_the_palettes_begin_and_end_where_they_should() -> None:
    for palette in PALETTES.values():
        assert palette.entries.shape == (256, 3)
    assert HOT_IRON.entries[[0, -1]].tolist() == [[0, 0, 0], [65535] * 3]
    with pytest.raises(InvalidObject, match="two colours"):
        Palette("none", np.zeros((1, 3), np.uint16))


def test_another_vendors_state_is_read(shared_data: Path) -> None:
    read = read_presentation((shared_data / "sop-classes" / "orthanc" / "PR000000.dcm").read_bytes())
    assert read.kind is StateKind.GRAYSCALE
    assert read.windows[0][0] == Window(2048, 4096, "LINEAR")
    assert [one.graphic for one in read.drawings] == ["", "ELLIPSE"]
    assert read.drawings[0].text.startswith("Mean: 2651.41")


def test_what_is_not_complete_is_told() -> None:
    ds = _blend(_fusion())
    del ds.BlendingSequence[1].SoftcopyVOILUTSequence[0].WindowWidth
    del ds.GreenPaletteColorLookupTableData
    ds.GreenPaletteColorLookupTableData = b"\0\0"
    del ds.RelativeOpacity
    ds.DisplayedAreaSelectionSequence[0].DisplayedAreaTopLeftHandCorner = []
    findings = read_presentation(encode(ds)).findings
    for part in ("grey values was not read", "palette is not complete", "blend is not complete", "no corners"):
        assert [one for one in findings if part in one], part


def test_an_image_is_no_presentation_state() -> None:
    with pytest.raises(UnreadableObject, match="presentation state"):
        read_presentation(encode(image()))
