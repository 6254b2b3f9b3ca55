"""The first requests for images after the start come at once, and each finds all it needs."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from fastapi.routing import APIRoute

from radfuse.web.api import imaging
from radfuse.web.api.imaging import imaging_loaded
from radfuse.web.api.routes import api_routers
from tests.support.servers import environment
from tests.web.api.conftest import RunningApi

AT_ONCE = """
import asyncio, importlib, sys, threading
from radfuse.web.api.imaging import imaging_loaded
wanted = ["pydicom.dataelem:DataElement", "pydicom:dcmread", "pydicom.dataset:Dataset", "pydicom.sequence:Sequence",
          "radfuse.objects.reg:read_registration", "radfuse.services.viewing:show", "pydicom.uid:UID"] * 2
start, failed = threading.Barrier(len(wanted)), []
def load(module, name):
    start.wait()
    try:
        asyncio.run(imaging_loaded())
        getattr(importlib.import_module(module), name)
    except Exception as error:
        failed.append(repr(error))
threads = [threading.Thread(target=load, args=each.split(":")) for each in wanted]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
heavy = {"SimpleITK", "numba", "highdicom", "reportlab"} & set(sys.modules)
assert not heavy, heavy
"""
"""Without the gate most of these fail: the modules import each other, and each thread begins with another one."""


def test_what_several_threads_need_first_is_there_whole() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_routes_of_images_wait_for_it(api: RunningApi, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = set()
    for router, dependencies in api_routers(api.desk):
        if imaging_loaded in (each.dependency for each in dependencies):
            waiting |= {route.path for route in router.routes if isinstance(route, APIRoute)}
    assert {"/volumes/{series}", "/values", "/pictures", "/openings", "/regions", "/registrations/path"} <= waiting
    assert "/session" not in waiting
    monkeypatch.setattr(imaging, "_LOADED", threading.Event())
    api.get("/session")
    assert not imaging._LOADED.is_set()
    assert api.problem("GET", "/openings", study="2.25.404")["status"] == 404
    assert imaging._LOADED.is_set()
