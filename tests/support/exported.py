"""A PET and a CT with a draft on them: a region, a length and a bookmark, and what can be asked to export."""

from __future__ import annotations

from typing import Any

from radfuse.archive import Archive
from radfuse.services.drawing import MadeRegion, RegionAsk, make_region, rules
from radfuse.services.series_views import SeriesView
from radfuse.web.api.drawing import Numbers
from radfuse.web.api.region_shapes import RegionShape
from tests.support.drawn import HOT_MM


def hot_region(archive: Archive, pet: str, ct: str) -> MadeRegion:
    """The larger ball of the PET, measured on the CT too."""
    rule = rules.Hot(HOT_MM, rules.Limit("max", 41))
    return make_region(archive, RegionAsk(SeriesView(pet), rule, (SeriesView(ct),)))


def kept(made: MadeRegion, pet: str) -> dict[str, Any]:
    """The region as drafts keep it."""
    return {
        "id": "r1",
        "name": "Lesion 1",
        "number": 1,
        "colour": [255, 0, 0],
        "series": pet,
        "rule": {"kind": "threshold", "seed_mm": HOT_MM, "of": "max", "value": 41},
        "shape": RegionShape.of(made.drawn).model_dump(mode="json"),
        "numbers": [Numbers.of(each).model_dump(mode="json") for each in made.numbers],
        "is_visible": True,
        "kind": "lesion",
        "made_by": "local",
        "made_s": 0,
    }


def length_on(ct: str) -> dict[str, Any]:
    """A line of 30 mm."""
    points = [[0, 0, 0], [30, 0, 0]]
    return {"id": "l1", "kind": "length", "points_mm": points, "series": ct, "text": "", "value": 30.0, "unit": "mm"}


def bookmark_on(pet: str, ct: str) -> dict[str, Any]:
    """The PET on the CT."""
    plain = {"opacity": 1, "is_inverted": False}
    view = {
        "base": {"series": ct},
        "overlay": {"series": pet},
        "prior": None,
        "layout": "fused",
        "display": {
            ct: {"low": 800, "high": 1200, "colours": "gray", **plain},
            pet: {"low": 0, "high": 5, "colours": "hot-iron", **plain},
        },
        "mode": "blend",
        "blend": 0.5,
        "slab_mm": 0,
        "projection": "thin",
        "cursor_mm": HOT_MM,
        "active": "coronal",
        "plane_turn": None,
        "zoom": {},
        "pan": {},
    }
    return {"id": "b1", "name": "Hot", "note": "", "made_s": 0, "view": view, "picture": None}


def picture_of(base: str, overlay: str | None = None, **more: Any) -> dict[str, Any]:
    """An axial plane through the ball, 64 x 48 pixels."""
    plane = {"centre_mm": HOT_MM, "right": [1, 0, 0], "down": [0, 1, 0], "spacing_mm": 2, "rows": 48, "columns": 64}
    over = {"overlay": {"series": overlay}, "overlay_window": {"low": 0, "high": 5}} if overlay else {}
    return {"base": {"series": base}, "plane": plane, "base_window": {"low": 800, "high": 1200}, **over, **more}
