"""Searches over a million instances over HTTP: what a person types in the console, and QIDO-RS."""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final
from urllib.parse import urlencode

from benchmarks import peers
from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in
from benchmarks.fill import fill_index
from benchmarks.memory import PeakMemory
from benchmarks.population import Population, patient_id, patient_name, study_date

ABOUT = (
    "GET /api/studies on one connection kept open, pages of 50 studies with the counts, sizes and badges of each; "
    "and QIDO-RS for studies, 50 at most, with their counts and modalities. Index filled in bulk. There is no peer."
)
_START_S: Final = 60.0
_PAGE: Final = 50


def run(settings: Settings, results: Results) -> None:
    """Fill once, then ask for every kind of word."""
    population = Population(settings.amount(1_000_000, 20_000))
    with folder_in(settings.scratch) as folder:
        begin = time.perf_counter()
        fill_index(folder, population)
        results.add(Value("index filled in bulk", OURS, "instances/s", population.instances / _since(begin)))
        results.remark(f"{population.studies} studies of {population.patients} patients")
        with _serving(folder) as (connection, memory):
            for _ in range(settings.runs):
                _ask(connection, population, settings, results)
            results.add(Value("memory of the web process", OURS, "MiB", memory.mib(), more_is_better=False))


def _since(begin: float) -> float:
    return time.perf_counter() - begin


def _ask(connection: http.client.HTTPConnection, population: Population, settings: Settings, results: Results) -> None:
    for door, kinds in (("console", _KINDS), ("QIDO-RS", _QIDO)):
        every_ms: list[float] = []
        for kind, make in kinds.items():
            case = f"{door}: {kind}"
            if not settings.wants(case):
                continue
            chance = random.Random(kind)
            took_ms = []
            for _ in range(settings.amount(100, 20)):
                words = make(chance.randrange(population.patients))
                begin = time.perf_counter()
                found = _studies(connection, words) if door == "QIDO-RS" else _page(connection, words)["studies"]
                took_ms.append(1000 * _since(begin))
                if not found and kind not in _MAY_BE_EMPTY:
                    results.remark(f"nothing found by {case}")
            every_ms += took_ms
            _add(results, case, took_ms)
        if len(every_ms) > 1:
            _add(results, f"{door}: all of these together", every_ms)


def _add(results: Results, kind: str, took_ms: list[float]) -> None:
    results.add(Value(f"{kind}, p50", OURS, "ms", median(took_ms), more_is_better=False))
    results.add(Value(f"{kind}, p95", OURS, "ms", quantiles(took_ms, n=20)[-1], more_is_better=False))


def _page(connection: http.client.HTTPConnection, words: dict[str, str]) -> Any:
    return _found(connection, "/api/studies", words)


def _studies(connection: http.client.HTTPConnection, keys: dict[str, str]) -> Any:
    return _found(connection, "/dicom-web/studies", keys)


def _found(connection: http.client.HTTPConnection, path: str, parameters: dict[str, str]) -> Any:
    connection.request("GET", f"{path}?{urlencode(parameters | {'limit': str(_PAGE)})}")
    response = connection.getresponse()
    body = response.read()
    if response.status not in (http.client.OK, http.client.NO_CONTENT):
        raise BenchmarkError(f"the search was answered with {response.status}: {body[:200]!r}")
    return json.loads(body or b"[]")


def _name(patient: int, letters: int = 0) -> str:
    family = patient_name(patient).split("^")[0]
    return family[:letters] if letters else family


_KINDS: Final[dict[str, Callable[[int], dict[str, str]]]] = {
    "the newest": lambda _: {},
    "three letters of a name": lambda patient: {"q": _name(patient, 3)},
    "a family name": lambda patient: {"q": _name(patient)},
    "family, given name": lambda patient: {"q": patient_name(patient).replace("^", ", ")},
    "a patient ID": lambda patient: {"q": patient_id(patient)},
    "the beginning of a patient ID": lambda patient: {"q": patient_id(patient)[:-2].lower()},
    "digits of an accession number": lambda patient: {"q": f"{2 * patient:06d}"},
    "a modality": lambda patient: {"q": ("CT", "MR", "CR", "pet")[patient % 4]},
    "a modality that is not there": lambda _: {"q": "XA"},
    "a day": lambda patient: {"q": study_date(2 * patient)},
    "a month": lambda patient: {"q": f"{study_date(2 * patient)[:4]}-{study_date(2 * patient)[4:6]}"},
    "today": lambda _: {"q": "arrived today"},
    "a word of a description": lambda patient: {"q": ("thorax", "head", "chest", "whole")[patient % 4]},
    "modality and name": lambda patient: {"q": f"{('CT', 'MR', 'CR', 'PT')[patient % 4]} {_name(patient, 4)}"},
    "what is nowhere": lambda _: {"q": "zzqx"},
    "a name, sorted by name": lambda patient: {"q": _name(patient, 4), "sort": "name"},
    "the last to arrive": lambda _: {"sort": "arrival"},
}
_QIDO: Final[dict[str, Callable[[int], dict[str, str]]]] = {
    "a patient ID": lambda patient: {"PatientID": patient_id(patient)},
    "a name": lambda patient: {"PatientName": patient_name(patient)},
    "a family name*": lambda patient: {"PatientName": f"{_name(patient)}*"},
    "four letters of a name*": lambda patient: {"PatientName": f"{_name(patient, 4)}*"},
    "a day": lambda patient: {"StudyDate": study_date(2 * patient)},
    "a month": lambda patient: {"StudyDate": f"{study_date(2 * patient)[:6]}01-{study_date(2 * patient)[:6]}28"},
    "a modality and a day": lambda patient: {"ModalitiesInStudy": "CT", "StudyDate": study_date(2 * patient)},
}
_MAY_BE_EMPTY: Final = frozenset(("a modality that is not there", "today", "what is nowhere", "a modality and a day"))


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[http.client.HTTPConnection, PeakMemory]]:
    """The web process alone on ``folder``, once it answers."""
    port = peers.free_port()
    words = [sys.executable, "-m", "radfuse", "web", "--data", str(folder), "--http-port", str(port)]
    with (folder / "peer.log").open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT, cwd=folder, env=peers.environment())
    memory = PeakMemory(process.pid)
    connection = http.client.HTTPConnection(peers.HOST, port, timeout=120)
    try:
        _await(connection, process)
        yield connection, memory
    finally:
        connection.close()
        memory.stop()
        peers.stop(process)


def _await(connection: http.client.HTTPConnection, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            _page(connection, {})
            return
        connection.close()
        time.sleep(0.1)
    raise BenchmarkError("the web process did not start")
