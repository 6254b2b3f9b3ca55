"""C-FIND in an index of a million instances: time to the first answer, memory, size, and what it does to storing."""

from __future__ import annotations

import shutil
import time
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from benchmarks import peers, store, tools
from benchmarks.common import Results, Settings, Value, folder_in, interleaved
from benchmarks.fill import fill_index
from benchmarks.objects import SMALL, FileSet, write_files
from benchmarks.population import KINDS, Population, queries
from benchmarks.scu import STUDY_ROOT_FIND, Association, Proposal

ABOUT = (
    "Study-level C-FIND on one association kept open, each query for another patient; index filled in bulk. "
    "Peers are not compared here: they have no bulk path, and storing a million objects to them takes hours."
)
_MANY_ANSWERS = 10_000


def run(settings: Settings, results: Results) -> None:
    """Fill once; then query, list ten thousand, and store beside it."""
    if not peers.present((peers.RADFUSE,), settings, results):
        return
    population = Population(settings.amount(1_000_000, 20_000))
    with folder_in(settings.scratch) as folder:
        filled = folder / "filled"
        filled.mkdir()
        begin = time.perf_counter()
        fill_index(filled, population)
        filled_s = time.perf_counter() - begin
        results.add(Value("index filled in bulk", peers.RADFUSE.name, "instances/s", population.instances / filled_s))
        _size(filled, population, results)
        for _ in range(settings.runs):
            _query(filled, population, settings, results)
        _store_beside(filled, population, settings, results)


def _size(filled: Path, population: Population, results: Results) -> None:
    size_bytes = sum(path.stat().st_size for path in filled.glob("index.sqlite*"))
    case = f"index of {population.instances} instances, UIDs of 60 characters"
    results.add(Value(case, peers.RADFUSE.name, "bytes/instance", size_bytes / population.instances, False))


def _query(filled: Path, population: Population, settings: Settings, results: Results) -> None:
    with peers.serving(peers.RADFUSE, filled) as running:
        proposal = Proposal([STUDY_ROOT_FIND])
        with Association(running.port, peers.CALLED_AE, peers.CALLING_AE, proposal) as association:
            for kind in KINDS:
                keys = queries(population, kind, settings.amount(200, 50))
                found = [association.find(key) for key in keys]
                if not all(one.answers for one in found):
                    results.remark(f"{sum(not one.answers for one in found)} queries by {kind} found nothing")
                first_ms = [1000 * one.first_s for one in found]
                add = partial(Value, who=peers.RADFUSE.name, unit="ms", more_is_better=False)
                results.add(add(f"first answer by {kind}, p50", value=median(first_ms)))
                results.add(add(f"first answer by {kind}, p95", value=quantiles(first_ms, n=20)[-1]))
            _many(association, running, results)


def _many(association: Association, running: peers.Running, results: Results) -> None:
    before_mib = running.memory.mib()
    found = association.find({0x00080052: "STUDY", 0x00100010: "", 0x0020000D: ""})
    after_mib = running.memory.mib()
    name = peers.RADFUSE.name
    if found.answers < _MANY_ANSWERS:
        results.remark(f"only {found.answers} pending answers in the list of all studies")
    results.add(Value(f"all {found.answers} studies listed", name, "answers/s", found.answers / found.all_s))
    growth_mib = after_mib - before_mib
    results.add(Value(f"memory grown by {found.answers} pending answers", name, "MiB", growth_mib, False))


def _store_beside(filled: Path, population: Population, settings: Settings, results: Results) -> None:
    with folder_in(settings.scratch) as folder:
        files = write_files(folder / "files", SMALL, settings.amount(2000, 200))
        store.warm(files)
        once = partial(_store_once, filled, population, files, settings, results)
        interleaved(settings.runs, [True, False], once, results)


def _store_once(
    filled: Path, population: Population, files: FileSet, settings: Settings, results: Results, full: bool
) -> None:
    what = f"{population.instances} instances" if full else "nothing"
    with folder_in(settings.scratch) as folder:
        data = folder / "data"
        shutil.copytree(filled, data) if full else data.mkdir()
        with peers.serving(peers.RADFUSE, data) as running:
            seconds = tools.storescu(running.port, [files.folder], nodelay=True)
    results.add(Value(f"small objects stored beside {what}", peers.RADFUSE.name, "objects/s", files.count / seconds))
