"""Storing beside viewing: objects a second while one picture after the other is made, and while none is."""

from __future__ import annotations

import json
import math
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from benchmarks import peers, tools
from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import CT, SMALL, Kind, write_files
from benchmarks.store import warm

_CASES = ((CT, 400, 40), (SMALL, 2000, 200))
_EDGE = 512


def measure(settings: Settings, results: Results, data: Path, address: str, pair: Sequence[str]) -> None:
    """Beside a running web server over ``data``; ``pair``: the Series Instance UIDs of base and overlay."""
    tools.require("storescu")
    with peers.serving(peers.RADFUSE, data) as node:
        for kind, full, quick in _CASES:
            once = partial(_once, settings, results, (node.port, address, pair), (kind, settings.amount(full, quick)))
            interleaved(settings.runs, (False, True), once, results)


def _once(
    settings: Settings,
    results: Results,
    where: tuple[int, str, Sequence[str]],
    what: tuple[Kind, int],
    is_viewed: bool,
) -> None:
    port, address, pair = where
    kind, count = what
    with folder_in(settings.scratch) as folder:
        files = write_files(folder / "files", kind, count)
        warm(files)
        with _viewed(address, pair) if is_viewed else nullcontext():
            seconds = tools.storescu(port, [files.folder], True)
    name = f"storing {kind.name}, {'pictures are made' if is_viewed else 'nobody looks'}"
    results.add(Value(name, OURS, "objects/s", count / seconds))


@contextmanager
def _viewed(address: str, pair: Sequence[str]) -> Iterator[None]:
    """Oblique fused planes, one after the other without a pause: more than anybody scrolls."""
    is_over, made = threading.Event(), 0

    def view() -> None:
        nonlocal made
        while not is_over.is_set():
            _picture(address, pair, made)
            made += 1

    _picture(address, pair, 0)
    viewer = threading.Thread(target=view)
    viewer.start()
    try:
        yield
    finally:
        is_over.set()
        viewer.join()
    if not made:
        raise BenchmarkError("not one picture was made while objects were stored")


def _picture(address: str, pair: Sequence[str], number: int) -> None:
    angle = math.radians(number % 90)
    plane = {
        "centre_mm": [0, 0, 450],
        "right": [math.cos(angle), math.sin(angle), 0],
        "down": [0, 0, -1],
        "spacing_mm": 1,
        "rows": _EDGE,
        "columns": _EDGE,
    }
    base, overlay = ({"series": uid} for uid in pair)
    windows = {"base_window": {"low": -160, "high": 240}, "overlay_window": {"low": 0, "high": 7}}
    body = json.dumps({"base": base, "overlay": overlay, "plane": plane, **windows}).encode()
    asked = urllib.request.Request(  # noqa: S310 - of loopback
        f"{address}/api/pictures", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        answer.read()
