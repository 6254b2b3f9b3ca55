"""Deformable registration against a known deformation: how far off, how long, and whether it folds."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.registration_data import FOLDER_VARIABLE, WARPS, Array, Case, case, errors_mm, phantom, template
from benchmarks.registration_thorax import DATA_VARIABLE, THORAX_WARPS, thorax, thorax_case
from radfuse.geometry import Affine, DisplacementField
from radfuse.registration import DeformableRecipe, Engine
from radfuse.registration.deform import register_deformable, warm_up
from radfuse.registration.deformable.engine import jacobians
from radfuse.registration.deformable.levels import level
from radfuse.volume import Volume

ABOUT = "Two images of one head, one of them deformed by a known smooth field; errors inside the head."
_LONGEST_S = 900
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Contestant:
    """One engine: what it makes of a case, as a field along the axes of the grid, and what it needs."""

    name: str
    run: Callable[[Case, Path], Array]
    is_there: Callable[[], bool] = lambda: True
    across: bool = True
    """Whether it can compare two modalities."""


def _ours(engine: Engine, of: Case, _folder: Path) -> Array:
    found = register_deformable(of.fixed, of.moving, Affine.identity(), DeformableRecipe(engine=engine))
    first = found.registration.transform.steps[0]
    if not isinstance(first, DisplacementField):
        raise BenchmarkError(f"gave up: {found.fell_back}")
    inner: Array = np.moveaxis(first.vectors_mm[1:-1, 1:-1, 1:-1], -1, 0)
    return inner


def _greedy(of: Case, _folder: Path) -> Array:
    import picsl_greedy  # type: ignore[import-untyped,import-not-found,unused-ignore]
    import SimpleITK

    sitk: Any = SimpleITK
    metric = "NMI" if of.is_across else "NCC 2x2x2"
    greedy = picsl_greedy.Greedy3D()
    greedy.execute(
        f"-d 3 -V 0 -noise 0 -wp 0 -threads {_THREADS} -m {metric} "
        "-s 3vox 1vox -e 0.5 -i fixed moving -o warp -n 100x60x30",
        fixed=_image(of.fixed),
        moving=_image(of.moving),
        warp=None,
    )
    return _field(sitk, greedy["warp"])


def _plastimatch(of: Case, folder: Path) -> Array:
    import SimpleITK

    sitk: Any = SimpleITK
    for name, volume in (("fixed", of.fixed), ("moving", of.moving)):
        sitk.WriteImage(_image(volume), str(folder / f"{name}.mha"))
    metric = "mi" if of.is_across else "mse"
    stages = "".join(
        f"[STAGE]\nxform=bspline\nmetric={metric}\nmax_its=50\nres={res} {res} {res}\n"
        f"grid_spac={grid} {grid} {grid}\nregularization_lambda=0.005\n"
        for res, grid in ((4, 40), (2, 20), (1, 12))
    )
    text = f"[GLOBAL]\nfixed={folder}/fixed.mha\nmoving={folder}/moving.mha\nvf_out={folder}/field.mha\n{stages}"
    (folder / "commands.txt").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["plastimatch", "register", str(folder / "commands.txt")],
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_S,
        env={"OMP_NUM_THREADS": str(_THREADS)},
    )
    if done.returncode:
        raise BenchmarkError(f"plastimatch ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    return _field(sitk, sitk.ReadImage(str(folder / "field.mha")))


def _elastix(of: Case, folder: Path) -> Array:
    import SimpleITK

    sitk: Any = SimpleITK
    for name, volume in (("fixed", of.fixed), ("moving", of.moving)):
        sitk.WriteImage(_image(volume), str(folder / f"{name}.mha"))
    metric = "AdvancedMattesMutualInformation" if of.is_across else "AdvancedNormalizedCorrelation"
    lines = {
        "Registration": '"MultiResolutionRegistration"',
        "Metric": f'"{metric}"',
        "Transform": '"BSplineTransform"',
        "Optimizer": '"AdaptiveStochasticGradientDescent"',
        "ImageSampler": '"RandomCoordinate"',
        "NewSamplesEveryIteration": '"true"',
        "NumberOfSpatialSamples": "4096",
        "NumberOfResolutions": "3",
        "MaximumNumberOfIterations": "500",
        "FinalGridSpacingInPhysicalUnits": "10",
        "WriteResultImage": '"false"',
    }
    text = "".join(f"({name} {value})\n" for name, value in lines.items())
    (folder / "parameters.txt").write_text(text, encoding="utf-8")
    places = ["-f", f"{folder}/fixed.mha", "-m", f"{folder}/moving.mha", "-out", str(folder)]
    for command in (
        ["elastix", *places, "-p", f"{folder}/parameters.txt", "-threads", str(_THREADS)],
        ["transformix", "-def", "all", "-tp", f"{folder}/TransformParameters.0.txt", "-out", str(folder)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST_S)
        if done.returncode:
            raise BenchmarkError(f"{command[0]} ended with {done.returncode}: {done.stdout.strip()[-200:]}")
    return _field(sitk, sitk.ReadImage(str(folder / "deformationField.mhd")))


def _image(volume: Volume) -> Any:
    """Its place is kept: the grids of all cases lie along the patient's axes."""
    import SimpleITK

    sitk: Any = SimpleITK
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.voxels, np.float32))
    image.SetSpacing(volume.grid.spacing_mm)
    image.SetOrigin([float(mm) for mm in volume.grid.origin_mm])
    return image


def _field(sitk: Any, image: Any) -> Array:
    vectors: Array = np.moveaxis(sitk.GetArrayFromImage(image), 3, 0).astype(np.float32)
    return vectors


def _has(program: str) -> Callable[[], bool]:
    return lambda: shutil.which(program) is not None


CONTESTANTS = (
    Contestant(OURS, partial(_ours, Engine.GAUSS_NEWTON)),
    Contestant("picsl-greedy", _greedy, lambda: importlib.util.find_spec("picsl_greedy") is not None),
    Contestant("plastimatch B-spline", _plastimatch, _has("plastimatch")),
    Contestant("elastix B-spline", _elastix, _has("elastix")),
    Contestant("SimpleITK demons", partial(_ours, Engine.DEMONS), across=False),
    Contestant("SimpleITK B-spline", partial(_ours, Engine.BSPLINE)),
)


def run(settings: Settings, results: Results) -> None:
    """Every deformation, within a modality and across two."""
    warm_up()
    head = template()
    if head is None:
        results.remark(f"nilearn is not installed (nor named by {FOLDER_VARIABLE}): a made-up head")
        head = phantom((98, 116, 94))
    if settings.quick:
        head = phantom((48, 56, 48))
    for warp in WARPS[:1] if settings.quick else WARPS:
        for across in (False, True):
            name = f"{warp.name}, {'other contrast' if across else 'same contrast'}"
            if settings.wants(name):
                made = case(name, head, warp, other_contrast=across)
                there = [each for each in _present(settings, results) if each.across or not across]
                interleaved(settings.runs, there, partial(_once, made, settings.scratch, results), results)
    _thorax(settings, results)
    if settings.wants("large"):
        large = case("large, 160 x 160 x 300", phantom((300, 160, 160)), WARPS[2])
        interleaved(1, CONTESTANTS[:1], partial(_once, large, settings.scratch, results), results)
    results.remark("Radfuse's time includes choosing the comparison and judging the result")


def _thorax(settings: Settings, results: Results) -> None:
    still = None if settings.quick else thorax()
    if still is None:
        results.remark(f"no CT of a thorax (ct-rtstruct/lung1-001 in the folder that {DATA_VARIABLE} names)")
        return
    for warp in THORAX_WARPS:
        if settings.wants(warp.name):
            made = thorax_case(still, warp)
            interleaved(
                settings.runs, _present(settings, results), partial(_once, made, settings.scratch, results), results
            )


def _present(settings: Settings, results: Results) -> list[Contestant]:
    found = []
    for each in CONTESTANTS:
        if settings.only and not any(word.lower() in each.name.lower() for word in settings.only):
            continue
        if each.is_there():
            found.append(each)
        else:
            results.remark(f"{each.name} is not installed")
    return found


def _once(made: Case, scratch: Path, results: Results, who: Contestant) -> None:
    with folder_in(scratch) as folder:
        begin = time.perf_counter()
        field = np.ascontiguousarray(who.run(made, folder))
        seconds = time.perf_counter() - begin
    mean, high = errors_mm(made, field)
    folded = float((jacobians(field, level(field.shape[1:], np.array(made.fixed.grid.spacing_mm), 1)) <= 0).mean())
    for unit, value in (("mm, mean", mean), ("mm, 95 %", high), ("s", seconds)):
        results.add(Value(made.name, who.name, unit, value, more_is_better=False))
    if folded:
        results.remark(f"{who.name} folds {100 * folded:.3g} % of the voxels in {made.name}")
