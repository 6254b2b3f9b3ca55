"""Grayscale, pseudo-colour and blending softcopy presentation states (PS3.3 sections A.33.1, A.33.3 and A.33.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import Making, NewSeries, Provenance, Reference, add_provenance, new_object, reference_to
from radfuse.objects.common.references import series_items
from radfuse.objects.pr.icc import srgb_profile
from radfuse.objects.pr.model import Area, Drawing, Palette, Rescale, StateKind, Window
from radfuse.objects.sr.write import decimal_text

_LAYER: Final = "RADFUSE"


@dataclass(frozen=True, eq=False)
class View:
    """How images of one study are to be shown."""

    images: tuple[Dataset, ...]
    """Headers of the images, all of one size and one rescale."""
    window: Window
    area: Area | None = None
    """None: all of them."""
    drawings: tuple[Drawing, ...] = ()
    is_inverted: bool = False
    """Dark for high values, as PET is read."""
    palette: Palette | None = None
    """With one it becomes a pseudo-colour state."""


@dataclass(frozen=True, eq=False)
class Blend:
    """Two series on top of each other: the superimposed one in colours, both windowed."""

    underlying: View
    superimposed: View
    palette: Palette
    opacity: float
    """Of the superimposed images, 0 to 1."""
    registrations: tuple[Reference, ...] = ()
    """Spatial registrations that bring both into one frame of reference, where they do not share one."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What a state is called."""

    label: str
    """At most 16 capitals, digits and underscores."""
    description: str = ""


def build_presentation(
    view: View, naming: Naming, *, provenance: Provenance, series: NewSeries, making: Making
) -> Dataset:
    """A grayscale state, or with a palette a pseudo-colour state.

    Raises InvalidObject for images of different sizes, or of different rescales: a state has one for all.
    """
    kind = StateKind.GRAYSCALE if view.palette is None else StateKind.PSEUDO_COLOUR
    rescale = rescale_of(view.images)
    ds = _started(kind, view.images, naming, series, making)
    references = [reference_to(image) for image in view.images]
    ds.ReferencedSeriesSequence = series_items(references, "ReferencedImageSequence")
    _add_rescale(ds, rescale)
    ds.SoftcopyVOILUTSequence = [_window(view.window)]
    ds.DisplayedAreaSelectionSequence = [_area(view)]
    if view.palette is None:
        ds.PresentationLUTShape = "INVERSE" if view.is_inverted else "IDENTITY"
    else:
        _add_palette(ds, view.palette)
    _add_drawings(ds, view.drawings)
    add_provenance(ds, provenance, making)
    return ds


def build_blending(
    blend: Blend, naming: Naming, *, provenance: Provenance, series: NewSeries, making: Making
) -> Dataset:
    """A blending state. The displayed area is that of the underlying images.

    Raises InvalidObject for an opacity that is none, and for images of one side with different rescales.
    """
    if not 0 <= blend.opacity <= 1:
        raise InvalidObject(("the opacity of a blend must be between 0 and 1",))
    ds = _started(StateKind.BLENDING, blend.underlying.images, naming, series, making)
    ds.BlendingSequence = [
        _side("UNDERLYING", blend.underlying),
        _side("SUPERIMPOSED", blend.superimposed),
    ]
    ds.RelativeOpacity = float(np.float32(blend.opacity))
    if blend.registrations:
        ds.ReferencedSpatialRegistrationSequence = [_registrations(blend.registrations)]
    ds.DisplayedAreaSelectionSequence = [_area(blend.underlying)]
    _add_palette(ds, blend.palette)
    _add_drawings(ds, blend.underlying.drawings)
    add_provenance(ds, provenance, making)
    return ds


def rescale_of(images: Sequence[Dataset]) -> Rescale | None:
    """The rescale that the images share, None where they have none. Raises InvalidObject where they differ."""
    found = {_rescale_in(image) for image in images}
    if len(found) != 1:
        reason = "its images have different rescales, and a presentation state holds one for all: resample them first"
        raise InvalidObject((reason if found else "a presentation state needs images",))
    shared = found.pop()
    if shared is None or shared.unit:
        return shared
    return Rescale(shared.slope, shared.intercept, "HU" if images[0].get("Modality") == "CT" else "US")


def _rescale_in(image: Dataset) -> Rescale | None:
    if image.get("RescaleSlope") is None:
        return None
    try:
        slope, intercept = float(image.RescaleSlope), float(image.get("RescaleIntercept") or 0)
    except (TypeError, ValueError) as error:
        raise InvalidObject(("the rescale of an image is no number",)) from error
    return Rescale(slope, intercept, str(image.get("RescaleType") or ""))


def _started(kind: StateKind, images: Sequence[Dataset], naming: Naming, series: NewSeries, making: Making) -> Dataset:
    """Presentation Series and Presentation State Identification (PS3.3 sections C.11.9 and C.11.10)."""
    if not images:
        raise InvalidObject(("a presentation state needs images",))
    ds = new_object(kind.value, "PR", images[0], series=series, making=making)
    for keyword in ("ContentDate", "ContentTime"):
        del ds[keyword]
    ds.PresentationCreationDate = ds.InstanceCreationDate
    ds.PresentationCreationTime = ds.InstanceCreationTime
    ds.ContentLabel = naming.label
    ds.ContentDescription = naming.description
    ds.ContentCreatorName = making.operator
    return ds


def _side(position: str, view: View) -> Dataset:
    """An item of the Blending Sequence (section C.11.14)."""
    item = Dataset()
    item.BlendingPosition = position
    item.StudyInstanceUID = view.images[0].StudyInstanceUID
    references = [reference_to(image) for image in view.images]
    if len({reference.study_uid for reference in references}) > 1:
        raise InvalidObject(("the images of one side of a blend are of several studies",))
    item.ReferencedSeriesSequence = series_items(references, "ReferencedImageSequence")
    _add_rescale(item, rescale_of(view.images))
    item.SoftcopyVOILUTSequence = [_window(view.window)]
    return item


def _add_rescale(ds: Dataset, rescale: Rescale | None) -> None:
    if rescale is not None:
        ds.RescaleIntercept = decimal_text(rescale.intercept)
        ds.RescaleSlope = decimal_text(rescale.slope)
        ds.RescaleType = rescale.unit


def _window(window: Window) -> Dataset:
    item = Dataset()
    item.WindowCenter = decimal_text(window.centre)
    item.WindowWidth = decimal_text(window.width)
    item.VOILUTFunction = window.function
    if window.explanation:
        item.WindowCenterWidthExplanation = window.explanation
    return item


def _area(view: View) -> Dataset:
    """Displayed Area (section C.10.4): fitted to the window it is shown in, with the pixels' true shape."""
    sizes = {(int(image.get("Rows") or 0), int(image.get("Columns") or 0)) for image in view.images}
    if len(sizes) != 1 or 0 in next(iter(sizes)):
        raise InvalidObject(("the images of a presentation state have different sizes, or none",))
    rows, columns = sizes.pop()
    area = view.area or Area((1, 1), (columns, rows))
    item = Dataset()
    item.DisplayedAreaTopLeftHandCorner = list(area.top_left)
    item.DisplayedAreaBottomRightHandCorner = list(area.bottom_right)
    item.PresentationSizeMode = "SCALE TO FIT"
    spacing = view.images[0].get("PixelSpacing")
    if spacing:
        item.PresentationPixelSpacing = [str(one) for one in spacing]
    else:
        item.PresentationPixelAspectRatio = [1, 1]
    if area.references:
        item.ReferencedImageSequence = _images(area.references)
    return item


def _images(references: Iterable[Reference]) -> list[Dataset]:
    return [reference.item() for reference in references]


def _add_palette(ds: Dataset, palette: Palette) -> None:
    """Palette Color Lookup Table and ICC Profile (sections C.7.9 and C.11.15)."""
    count = len(palette.entries) % 65536
    for channel, name in enumerate(("Red", "Green", "Blue")):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [count, 0, 16])
        ds[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
        data = palette.entries[:, channel].astype("<u2").tobytes()
        setattr(ds, f"{name}PaletteColorLookupTableData", data)
    ds.ICCProfile = srgb_profile()
    ds.ColorSpace = "SRGB"


def _add_drawings(ds: Dataset, drawings: Sequence[Drawing]) -> None:
    """Graphic Annotation and Graphic Layer (sections C.10.5 and C.10.7)."""
    if not drawings:
        return
    ds.GraphicAnnotationSequence = [_annotation(drawing) for drawing in drawings]
    layer = Dataset()
    layer.GraphicLayer = _LAYER
    layer.GraphicLayerOrder = 1
    ds.GraphicLayerSequence = [layer]


def _annotation(drawing: Drawing) -> Dataset:
    item = Dataset()
    item.ReferencedImageSequence = _images(drawing.references)
    item.GraphicLayer = _LAYER
    if drawing.text:
        text = Dataset()
        text.UnformattedTextValue = drawing.text
        text.AnchorPointAnnotationUnits = "PIXEL"
        text.AnchorPoint = list(drawing.points[0])
        text.AnchorPointVisibility = "N"
        item.TextObjectSequence = [text]
    if drawing.graphic:
        graphic = Dataset()
        graphic.GraphicAnnotationUnits = "PIXEL"
        graphic.GraphicDimensions = 2
        graphic.NumberOfGraphicPoints = len(drawing.points)
        graphic.GraphicData = [number for point in drawing.points for number in point]
        graphic.GraphicType = drawing.graphic
        if drawing.graphic in ("CIRCLE", "ELLIPSE"):
            graphic.GraphicFilled = "N"
        item.GraphicObjectSequence = [graphic]
    return item


def _registrations(references: Sequence[Reference]) -> Dataset:
    """Referenced Spatial Registration (section C.11.14): study, series, instance."""
    item = Dataset()
    item.StudyInstanceUID = references[0].study_uid
    item.ReferencedSeriesSequence = series_items(references, "ReferencedSOPSequence")
    return item
