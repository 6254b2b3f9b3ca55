"""``python -m benchmarks NAME… [--runs N] [--quick]``: run benchmarks, print Markdown tables, clean up."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Protocol, cast

from benchmarks.common import BenchmarkError, Results, Settings, machine, markdown, rows, write_json

MODULES = {
    "store": "store",
    "send": "send",
    "tls": "tls",
    "move": "move",
    "get": "get",
    "find": "find",
    "browse": "browse",
    "import": "import_",
    "export": "export",
    "jobs": "jobs",
    "dicomweb": "dicomweb",
    "anonymize": "anonymize",
    "large": "large",
    "associations": "associations",
    "volumes": "volumes",
    "viewing": "viewing",
    "registration": "registration",
    "rigid": "rigid",
}


class Benchmark(Protocol):
    """The shape of a benchmark module."""

    ABOUT: str

    def run(self, settings: Settings, results: Results) -> None:
        """Measure and put the values into ``results``."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="+", choices=[*MODULES, "all"], metavar="NAME", help=f"{', '.join(MODULES)}, all"
    )
    parser.add_argument("--runs", type=int, default=5, help="runs of each contestant, in turn (default 5)")
    parser.add_argument("--quick", action="store_true", help="few objects: a trial, not a measurement")
    parser.add_argument("--only", default="", help="contestants by parts of their names, comma-separated")
    parser.add_argument("--case", action="append", default=[], help="part of a case's name; may be repeated")
    parser.add_argument("--scratch", type=Path, help="where files and data folders go (default: the temporary folder)")
    parser.add_argument("--json", type=Path, help="folder for NAME.json with every value")
    return parser.parse_args()


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _run(name: str, settings: Settings, json_folder: Path | None) -> bool:
    try:
        benchmark = cast(Benchmark, importlib.import_module(f"benchmarks.{MODULES[name]}"))
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{name} cannot run: {error}\n")
        return False
    results, about = Results(), machine()
    sys.stderr.write(f"{name}: {benchmark.ABOUT}\n")
    try:
        benchmark.run(settings, results)
    except BenchmarkError as error:
        results.remark(f"{name} stopped: {error}")
    lines = [f"## {name}", "", benchmark.ABOUT, "", markdown(rows(results)), ""]
    lines += [f"- {remark}" for remark in results.remarks]
    lines.append(f"- {', '.join(f'{key} {value}' for key, value in about.items())}, runs {settings.runs}")
    if settings.quick:
        lines.append("- quick: a trial with few objects, not a measurement")
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()
    if json_folder is not None:
        json_folder.mkdir(parents=True, exist_ok=True)
        write_json(json_folder / f"{name}.json", name, results, about)
    return bool(results.values)


def main() -> int:
    """Exit 0 when every benchmark measured something, else 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that peers are stopped and folders removed
    options = _options()
    # pynetdicom installs programs named like DCMTK's beside this interpreter.
    beside = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join(
        folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder != beside
    )
    names = list(MODULES) if "all" in options.names else options.names
    with tempfile.TemporaryDirectory(prefix="radfuse-bench-", dir=options.scratch) as scratch:
        only, cases = _words(options.only), tuple(options.case)
        settings = Settings(options.runs, options.quick, Path(scratch), only, cases)
        measured = [_run(name, settings, options.json) for name in names]
    return 0 if all(measured) else 1


if __name__ == "__main__":
    sys.exit(main())
