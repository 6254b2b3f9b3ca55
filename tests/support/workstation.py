"""The workstation in a browser: what its panes show as pixels, and the same planes as the service makes them."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
import imagecodecs
import numpy as np
import numpy.typing as npt
from playwright.sync_api import Locator, Page, expect

Pixels = npt.NDArray[np.int16]

_MARGIN: Final = 1.02
_MOST_S: Final = 60.0
_ALL_THERE: Final = """series => series.every(uid => performance.getEntriesByType('mark')
    .some(mark => mark.name === `radfuse all voxels ${uid}`))"""
_IS_SHARP: Final = "() => !document.querySelector(`[data-pane] [class*='_loading_'], canvas[data-coarse]`)"
_STILL_MS: Final = 250
_PICTURE: Final = """pane => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
    done(document.querySelector(`[data-pane='${pane}'] canvas`).toDataURL('image/png')))))"""
"""After the next frame: what was changed is drawn only then."""
_AXES: Final = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
}
"""To the right and down, LPS: as radiologists look at it."""
_AS_OPENED: Final[dict[str, Any]] = {
    "cursor_mm": None,
    "zoom": {},
    "pan": {},
    "plane_turn": None,
    "slab_mm": 0,
    "projection": "thin",
}


@dataclass(frozen=True)
class Station:
    """A page of the workstation, and the service behind it."""

    page: Page
    url: str

    def ask(self, method: str, path: str, body: object = None, status: int = 200, **query: Any) -> Any:
        """What the service answers, as JSON."""
        answer = self._send(method, path, body, **query)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, body: object = None, **query: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}/api{path}", json=body, params=query or None, timeout=_MOST_S)

    # --- opening ---------------------------------------------------------------------------------

    def open_study(self, study: str, *series: str) -> None:
        """A new draft with what is proposed; wait for all voxels of these series."""
        self.page.goto(f"/workstation/new?fresh&study={study}")
        self.wait_for(*series)

    def open_draft(self, draft: str, *series: str) -> None:
        """A draft that there is."""
        self.page.goto(f"/workstation/{draft}")
        self.wait_for(*series)

    def wait_for(self, *series: str) -> None:
        """Until all voxels of these series are on the card, and the page has the address of its draft."""
        self.page.wait_for_function(_ALL_THERE, arg=list(series), timeout=_MOST_S * 1000)
        self.page.wait_for_url(lambda url: not url.split("?")[0].endswith("/new"))

    @property
    def draft(self) -> str:
        """Of the open page."""
        return self.page.url.split("?")[0].rsplit("/", 1)[1]

    def state(self) -> dict[str, Any]:
        """The draft as the service has it, once all is kept."""
        expect(self.page.get_by_text("Draft kept")).to_be_visible()
        found: dict[str, Any] = self.ask("GET", f"/workspaces/{self.draft}")["state"]
        return found

    def facts(self, series: str, **query: Any) -> dict[str, Any]:
        """Of a series as it is shown; the service may have to read it again."""
        deadline = time.monotonic() + _MOST_S
        while (answer := self._send("GET", f"/volumes/{series}", **query)).status_code == HTTPStatus.ACCEPTED:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.2)
        assert answer.status_code == HTTPStatus.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    # --- pictures --------------------------------------------------------------------------------

    def pixels(self, pane: str) -> Pixels:
        """What a pane shows, rows x columns x 3, once it is sharp and still."""
        deadline, before = time.monotonic() + _MOST_S, b""
        while True:
            self.page.wait_for_function(_IS_SHARP, timeout=_MOST_S * 1000)
            png = base64.b64decode(self.page.evaluate(_PICTURE, pane).partition(",")[2])
            if png == before:
                return imagecodecs.png_decode(png)[..., :3].astype(np.int16)
            assert time.monotonic() < deadline, f"the pane {pane} does not come to rest"
            before = png
            self.page.wait_for_timeout(_STILL_MS)

    def by_the_service(self, pane: str, like: Pixels) -> Pixels:
        """The same plane, in as many pixels, by ``POST /api/pictures``."""
        state = self.state()
        look = self._prior_of(state) if pane.startswith("prior-") else self._look_of(state)
        plane = pane.removeprefix("prior-")
        ask = look | {"plane": _plane_of(state, self.facts(state["base"]["series"]), plane, like)}
        answer = self._send("POST", "/pictures", ask)
        assert answer.status_code == 200, answer.text
        return imagecodecs.png_decode(answer.content).astype(np.int16)

    def _look_of(self, state: dict[str, Any]) -> dict[str, Any]:
        """Series, windows, colours and mixture."""
        base, over = state["base"], state["overlay"]
        below = self._display(state, base["series"])
        look = {"base": base, "base_window": _window(below), "base_colours": below["colours"]}
        if over is None:
            return look
        above = self._display(state, over["series"], onto=base["series"], only=over["only"])
        return look | {
            "overlay": over,
            "overlay_window": _window(above),
            "overlay_colours": above["colours"],
            "blend": state["blend"] * above["opacity"],
            "mode": state["mode"],
        }

    def _prior_of(self, state: dict[str, Any]) -> dict[str, Any]:
        """The prior alone, where the base is."""
        prior = state["prior"]
        shown = self._display(state, prior["series"], onto=state["base"]["series"], allow_failed=prior["allow_failed"])
        below = self._display(state, state["base"]["series"])
        return {
            "base": state["base"],
            "base_window": _window(below),
            "overlay": prior,
            "overlay_window": _window(shown),
            "overlay_colours": shown["colours"],
            "mode": "overlay",
        }

    def _display(self, state: dict[str, Any], series: str, **query: Any) -> dict[str, Any]:
        """As somebody changed it, or as the series comes."""
        if series in state["display"]:
            changed: dict[str, Any] = state["display"][series]
            return changed
        facts = self.facts(series, **query)
        return {**facts["window"], "colours": facts["colours"], "opacity": 1.0}

    def differs(self, pane: str) -> tuple[float, float]:
        """By how much a pane differs from the service's picture: the mean, and the share of pixels above 3 of 255."""
        shown = self.pixels(pane)
        apart = np.abs(shown - self.by_the_service(pane, shown)).max(axis=-1)
        assert shown.std() > 5, "there is nothing to be seen"
        return float(apart.mean()), float((apart > 3).mean())

    # --- hands -----------------------------------------------------------------------------------

    def click(self, pane: str, point_mm: Sequence[float], alone: str = "", plane: str = "axial") -> None:
        """Click on a point that lies in the plane of a pane, of a series that is not linked with the others."""
        canvas = self.page.locator(f"[data-pane='{pane}'] canvas")
        box = canvas.bounding_box()
        assert box is not None
        size = np.zeros((round(box["height"]), round(box["width"])))
        state = self.state() if not alone else _AS_OPENED
        shown = _plane_of(state, self.facts(alone or state["base"]["series"]), plane, size)
        away = np.array(point_mm) - shown["centre_mm"]
        x, y = (away @ np.array(shown[way]) / shown["spacing_mm"] for way in ("right", "down"))
        canvas.click(position={"x": x + box["width"] / 2, "y": y + box["height"] / 2}, force=True)

    def middle_of(self, drawn: Locator, pane: str) -> tuple[float, float]:
        """Where the middle of something that is drawn in a pane lies, to the right and down, in mm."""
        box = self.page.locator(f"[data-pane='{pane}'] canvas").bounding_box()
        found = drawn.bounding_box()
        assert box is not None
        assert found is not None
        state = self.state()
        size = np.zeros((round(box["height"]), round(box["width"])))
        shown = _plane_of(state, self.facts(state["base"]["series"]), pane, size)
        x = found["x"] + found["width"] / 2 - box["x"] - box["width"] / 2
        y = found["y"] + found["height"] / 2 - box["y"] - box["height"] / 2
        centre = np.array(shown["centre_mm"])
        right, down = ((centre @ np.array(shown[way])) for way in ("right", "down"))
        return float(right + x * shown["spacing_mm"]), float(down + y * shown["spacing_mm"])


def _window(display: dict[str, Any]) -> dict[str, float]:
    return {"low": display["low"], "high": display["high"]}


def _plane_of(state: dict[str, Any], facts: dict[str, Any], plane: str, like: npt.NDArray[Any]) -> dict[str, Any]:
    """All of the base's box in the pane at zoom 1, at the depth of the cursor; turned planes keep the scale."""
    upright = [np.array(way, float) for way in _AXES[plane]]
    right, down = (_tilt(state["plane_turn"], plane) @ way for way in upright)
    rows, columns = like.shape[:2]
    steps = np.array(facts["direction"]).reshape(3, 3) * np.array(facts["spacing_mm"])[:, None]
    counts = np.array(facts["shape"][::-1])
    middle = np.array(facts["origin_mm"]) + (counts - 1) / 2 @ steps
    normal = np.cross(right, down)
    cursor = middle if state["cursor_mm"] is None else np.array(state["cursor_mm"])
    pan = state["pan"].get(plane, (0, 0))
    centre = middle + (cursor - middle) @ normal * normal + pan[0] * right + pan[1] * down
    wide, tall = (np.abs(counts[:, None] * steps @ way[:, None]).sum() for way in upright)
    spacing = max(wide / columns, tall / rows) * _MARGIN / state["zoom"].get(plane, 1)
    return {
        "centre_mm": centre.tolist(),
        "right": right.tolist(),
        "down": down.tolist(),
        "spacing_mm": spacing,
        "rows": rows,
        "columns": columns,
        "slab_mm": state["slab_mm"],
        "projection": state["projection"],
    }


def _tilt(turn: Sequence[float] | None, plane: str) -> npt.NDArray[np.float64]:
    """The shortest turn that takes a plane of the patient to that of the three that were turned."""
    if turn is None:
        return np.eye(3)
    which = ("sagittal", "coronal", "axial").index(plane)
    towards = np.array(turn).reshape(3, 3)[which]
    x, y, z = np.cross(np.eye(3)[which], towards)
    hinge = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    tilt: npt.NDArray[np.float64] = np.eye(3) + hinge + hinge @ hinge / (1 + towards[which])
    return tilt
