"""An API over a PET and its CT, with drafts that hold something of everything; and copies of it elsewhere."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from radfuse.services.import_media import Verdict, import_stream
from radfuse.services.selection import Selection, objects_of
from radfuse.services.stored_objects import proved_file
from radfuse.web.api.workspace_models import BookmarkView
from tests.support.drawn import HOT_MM, WARM_MM, add_pet_and_ct
from tests.support.graphs import Scene
from tests.web.api.conftest import RunningApi, api_in

_SEEN = tuple(BookmarkView.model_fields)


@dataclass(frozen=True)
class SessionDesk:
    """An API over a PET and its CT."""

    api: RunningApi
    study: str
    pet: str
    ct: str

    def draft(self, **more: Any) -> dict[str, Any]:
        """A draft with two regions, a line and a bookmark."""
        series = [self.ct, self.pet]
        draft: dict[str, Any] = self.api.send("POST", "/workspaces", {"study": self.study, "series": series})
        state = draft["state"]
        state |= {
            "display": {
                self.ct: {"low": -160.0, "high": 240.0, "colours": "gray", "opacity": 1, "is_inverted": False},
                self.pet: {"low": 0.0, "high": 7.0, "colours": "hot-iron", "opacity": 1, "is_inverted": False},
            },
            "cursor_mm": list(HOT_MM),
            "layout": "side",
            "regions": [
                self.region(1, self.pet, {"kind": "threshold", "seed_mm": HOT_MM, "of": "max", "value": 41}),
                self.region(2, self.pet, {"kind": "sphere", "centre_mm": WARM_MM, "diameter_mm": 20}),
            ],
            "lines": [
                {"id": "l1", "kind": "length", "points_mm": [[0, 0, 3], [30, 40, 3]], "series": self.ct}
                | {"text": "", "value": 50.0, "unit": "mm"}
            ],
        } | more
        view = {name: state[name] for name in _SEEN}
        bookmark = {"id": "b1", "name": "The hot one", "note": "", "made_s": 1.0, "view": view, "picture": None}
        state["bookmarks"] = [bookmark]
        return self.kept(draft, state)

    def kept(self, draft: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        change = {"revision": draft["revision"], "state": state, "client": "a"}
        revision = self.api.send("PUT", f"/workspaces/{draft['id']}", change)["revision"]
        assert revision
        newest: dict[str, Any] = self.api.get(f"/workspaces/{draft['id']}")
        return newest

    def region(self, number: int, series: str, rule: dict[str, Any]) -> dict[str, Any]:
        ask = {"series": {"series": series}, "rule": rule, "also": [{"series": self.ct}]}
        made = self.api.send("POST", "/regions", ask)
        return {
            "id": f"r{number}", "name": f"Lesion {number}", "number": number, "colour": [200, 10 * number, 0],
            "series": series, "rule": rule, "shape": made["shape"], "numbers": made["numbers"],
            "is_visible": True, "kind": "lesion", "made_by": "somebody", "made_s": 1.0,
        }  # fmt: skip

    def saved(self, draft: dict[str, Any], name: str = "Baseline", **more: Any) -> dict[str, Any]:
        path = f"/workspaces/{draft['id']}/session"
        answer: dict[str, Any] = self.api.send("POST", path, {"name": name, **more}, 201)
        return answer

    def opened(self, uid: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.send("POST", "/workspaces", {"from": uid})
        return answer

    def keep(self, ds: Dataset) -> str:
        """Store an object like any guest's; its UID."""
        file = io.BytesIO()
        ds.save_as(file)
        file.seek(0)
        imported = import_stream(self.api.archive, "object", file)
        assert imported.verdict is Verdict.STORED, imported.reason
        return str(ds.SOPInstanceUID)


@contextlib.contextmanager
def session_desk(folder: Path) -> Iterator[SessionDesk]:
    """In a new data folder."""
    with api_in(folder) as api:
        scene = Scene(api.archive)
        pet, ct = add_pet_and_ct(scene)
        yield SessionDesk(api, str(scene.of("ct")[0].StudyInstanceUID), pet, ct)


Change = Callable[[Dataset], Dataset | None]
"""What another system does to an object; None: it loses it."""


@contextlib.contextmanager
def elsewhere(desk: SessionDesk, folder: Path, change: Change = lambda ds: ds) -> Iterator[SessionDesk]:
    """All objects of the archive, and nothing else, in a new data folder."""
    with api_in(folder) as api:
        there = SessionDesk(api, desk.study, desk.pet, desk.ct)
        for content in files_of(desk):
            ds = change(dcmread(io.BytesIO(content)))
            if ds is not None:
                there.keep(ds)
        yield there


def files_of(desk: SessionDesk) -> Iterator[bytes]:
    """Every object of the study as a Part 10 file."""
    for stored in objects_of(desk.api.archive, Selection([desk.study])):
        yield proved_file(desk.api.archive, stored)
