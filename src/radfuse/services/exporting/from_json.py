"""What is exported, from the JSON of the API: a job keeps it as that.

The API has checked the shape of it; what is read here is the same form once more, after a restart too.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, TypeVar

import numpy as np

from radfuse.core.errors import ConfigurationError, InvalidRegion
from radfuse.core.uids import checked_uid
from radfuse.fusion import ColourMap, Window
from radfuse.geometry import Affine, FrameOfReference, Grid, Mask
from radfuse.services.drawing import Numbers, runs
from radfuse.services.exporting.model import (
    Cine,
    Draft,
    ExportAsk,
    Images,
    Item,
    Marked,
    Measured,
    OfArchive,
    Paper,
    Regions,
    Resampled,
    Rotating,
    Shot,
    Snapshot,
)
from radfuse.services.exporting.ranges import planes_of
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing import Look, Outlined, Place
from radfuse.services.workspace_objects.model import Look as SeriesLook
from radfuse.services.workspace_objects.model import SavedBookmark, SavedLine, SavedRegion, Scene
from radfuse.volume import Repair, Unit

Json = Mapping[str, Any]
_Kind = TypeVar("_Kind", bound=StrEnum)


def ask_of(parameters: Json) -> ExportAsk:
    """What is exported. Raises ConfigurationError, InvalidUID, InvalidRegion, InvalidGeometry."""
    draft = _draft(parameters.get("draft") or {})
    items = tuple(_ITEMS[item["kind"]](item, draft) for item in parameters["items"])
    if not items:
        raise ConfigurationError("items", "there is nothing to export: choose something")
    return ExportAsk(items, draft)


# --- the items -------------------------------------------------------------------------------


def _images(item: Json, _: Draft) -> Item:
    return Images(checked_uid(item["series"], "Series Instance UID"))


def _snapshot(item: Json, _: Draft) -> Item:
    shot = shot_of(item["picture"])
    return Snapshot(replace(shot, annotate=shot.annotate or item["annotate"]))


def _cine(item: Json, _: Draft) -> Item:
    shots = [shot_of(picture) for picture in item["pictures"]]
    if item["range"] is not None:
        if len(shots) != 1:
            raise ConfigurationError("pictures", "a range of planes needs one picture that says how they look")
        shots = list(planes_of(shots[0], **item["range"]))
    sizes = {(shot.place.rows, shot.place.columns) for shot in shots}
    if len(sizes) != 1:
        raise ConfigurationError("pictures", "the pictures of a cine are all of one size, and there is at least one")
    return Cine(tuple(shots), item["frame_time_ms"])


def _rotating(item: Json, _: Draft) -> Item:
    over = item["overlay"]
    return Rotating(
        view_of(item["view"]),
        _window(item["window"], item["colours"]),
        item["frames"],
        None if over is None else (view_of(over), _window(item["overlay_window"], item["overlay_colours"])),
        item["blend"],
        item["frame_time_ms"],
    )


def _resampled(item: Json, _: Draft) -> Item:
    onto = checked_uid(item["onto"], "Series Instance UID") if item["onto"] else ""
    return Resampled(view_of(item["view"]), onto, item["grid"])


def _registration(item: Json, _: Draft) -> Item:
    return OfArchive(checked_uid(item["SOPInstanceUID"], "SOP Instance UID"))


def _regions(item: Json, draft: Draft) -> Item:
    return Regions(_known(item["ids"], draft.regions), item["as"])


def _numbers(item: Json, draft: Draft) -> Item:
    return Measured(_known(item["ids"], {**draft.regions, **draft.lines}))


def _report(item: Json, draft: Draft) -> Item:
    ids = _known(item["ids"], {**draft.regions, **draft.lines}) if item["ids"] else ()
    shots = tuple((each["caption"], shot_of(each["picture"])) for each in item["pictures"])
    return Paper(item["title"], item["text"], ids, shots)


def _bookmark(item: Json, draft: Draft) -> Item:
    # Jobs of before do not say whether it is written on.
    (known,) = _known([item["id"]], draft.bookmarks)
    return Marked(known, item.get("annotate", False))


_ITEMS: Final[Mapping[str, Callable[[Json, Draft], Item]]] = {
    "images": _images,
    "snapshot": _snapshot,
    "cine": _cine,
    "rotating": _rotating,
    "volume": _resampled,
    "registration": _registration,
    "regions": _regions,
    "numbers": _numbers,
    "report": _report,
    "bookmark": _bookmark,
}


def _known(ids: list[str], known: Mapping[str, object]) -> tuple[str, ...]:
    """Those that the draft has; none named: all. Raises ConfigurationError."""
    missing = [each for each in ids if each not in known]
    if missing:
        raise ConfigurationError("ids", f"the draft has no {missing[0]!r}: it may have been removed meanwhile")
    found = tuple(dict.fromkeys(ids or known))
    if not found:
        raise ConfigurationError("ids", "the draft has none of these: draw one first")
    return found


# --- pictures --------------------------------------------------------------------------------


def shot_of(picture: Json) -> Shot:
    """A picture as the API asks for it."""
    plane, over = picture["plane"], picture["overlay"]
    if over is not None and picture["overlay_window"] is None:
        raise ConfigurationError("overlay_window", "the overlay needs a window of values")
    return Shot(
        view_of(picture["base"]),
        Place(
            _three(plane["centre_mm"]),
            _three(plane["right"]),
            _three(plane["down"]),
            plane["spacing_mm"],
            plane["rows"],
            plane["columns"],
        ),
        _window(picture["base_window"], picture["base_colours"]),
        Look.named(plane["slab_mm"], plane["projection"], picture["mode"], picture["blend"]),
        None if over is None else (view_of(over), _window(picture["overlay_window"], picture["overlay_colours"])),
        tuple(Outlined(mask_of(each["shape"]), _rgb(each["colour"])) for each in picture["regions"]),
        picture.get("annotate", False),  # jobs of before had none
    )


def view_of(view: Json) -> SeriesView:
    """A series as it is looked at."""
    return SeriesView(
        checked_uid(view["series"], "Series Instance UID"),
        _named("unit", Unit, view["unit"]) if view["unit"] else None,
        view["stack"] or None,
        frozenset(_named("repair", Repair, each) for each in view["repairs"]),
        frozenset(view["only"]),
        view["allow_failed"],
        view["allow_other_patient"],
        allow_other_side=view.get("allow_other_side", False),  # jobs of before had none
    )


def _named(setting: str, kind: type[_Kind], name: str) -> _Kind:
    try:
        return kind(name)
    except ValueError:
        raise ConfigurationError(setting, f"needs one of {', '.join(kind)}") from None


def _window(window: Json, colours: str) -> Window:
    if window["low"] >= window["high"]:
        raise ConfigurationError("window", "needs a lower and a higher value")
    return Window(window["low"], window["high"], ColourMap(colours))


# --- the draft -------------------------------------------------------------------------------


def _draft(draft: Json) -> Draft:
    views = [view_of(view) for view in draft.get("views", ())]
    return Draft(
        _optional(draft.get("base")),
        _optional(draft.get("overlay")),
        tuple({view.series: view for view in reversed(views)}.values())[::-1],
        {each["id"]: _region(each) for each in draft.get("regions", ())},
        {each["id"]: _line(each) for each in draft.get("lines", ())},
        {each["id"]: _saved_bookmark(each) for each in draft.get("bookmarks", ())},
    )


def _optional(view: Json | None) -> SeriesView | None:
    return None if view is None else view_of(view)


def _region(region: Json) -> SavedRegion:
    return SavedRegion(
        id=region["id"],
        name=region["name"],
        number=region["number"],
        colour=_rgb(region["colour"]),
        series=region["series"],
        mask=mask_of(region["shape"]),
        kind=region["kind"],
        rule=region["rule"],
        numbers=tuple(_number(each) for each in region["numbers"]),
    )


def _number(numbers: Json) -> Numbers:
    more: dict[str, Any] = {name: value for name, value in numbers.items() if name != "SeriesInstanceUID"}
    more |= {name: tuple(numbers.get(name) or ()) for name in ("findings", "remarks")}
    return Numbers(series_uid=numbers["SeriesInstanceUID"], **more)


def _line(line: Json) -> SavedLine:
    points = tuple(map(_three, line["points_mm"]))
    return SavedLine(line["id"], line["kind"], points, line["series"], line["text"], line["value"], line["unit"])


def _saved_bookmark(bookmark: Json) -> SavedBookmark:
    view = bookmark["view"]
    looks = {
        series: SeriesLook(
            each["low"],
            each["high"],
            each["colours"] if each["colours"] in set(ColourMap) else ColourMap.GRAY.value,
            each["is_inverted"],
        )
        for series, each in view["display"].items()
    }
    scene = Scene(
        _optional(view["base"]),
        _optional(view["overlay"]),
        looks,
        view["mode"],
        view["blend"],
        view["slab_mm"],
        view["projection"],
        None if view["cursor_mm"] is None else _three(view["cursor_mm"]),
        tuple(view["plane_turn"]) if view["plane_turn"] else None,
        view.get("active") or "axial",
    )
    return SavedBookmark(bookmark["id"], bookmark["name"], bookmark["note"], scene)


def mask_of(shape: Json) -> Mask:
    """The voxels of a region on its box. Raises InvalidRegion, InvalidGeometry."""
    grid = shape["grid"]
    linear = np.array(grid["direction"]).reshape(3, 3).T * grid["spacing_mm"]
    slices, rows, columns = grid["shape"]
    whole = Grid(
        (slices, rows, columns), Affine.of(linear, grid["origin_mm"]), FrameOfReference(grid["FrameOfReferenceUID"])
    )
    i0, i1, j0, j1, k0, k1 = shape["bounds"]
    if not (i0 < i1 <= columns and j0 < j1 <= rows and k0 < k1 <= slices):
        raise InvalidRegion("its bounds are no box of its grid")
    box = k1 - k0, j1 - j0, i1 - i0
    try:
        content = base64.b64decode(shape["runs"], validate=True)
    except ValueError:
        raise InvalidRegion("its runs are no base64") from None
    return Mask(whole.cropped((k0, j0, i0), box), runs.decoded(content, box))


def _three(numbers: Any) -> tuple[float, float, float]:
    x, y, z = numbers
    return x, y, z


def _rgb(colour: Any) -> tuple[int, int, int]:
    red, green, blue = colour
    return red, green, blue
