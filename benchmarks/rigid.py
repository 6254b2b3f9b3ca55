"""Rigid registration across modalities, from many starts: error and time, beside other programs on the same images."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in
from benchmarks.registration_data import FOLDER_VARIABLE
from benchmarks.rigid_data import PAIRS, Pair
from radfuse.geometry import Affine, Grid, Points
from radfuse.registration import rigid
from radfuse.volume import Volume, image_files

ABOUT = (
    "Images of two modalities with a known turn and shift between them, from starts within 25 degrees and 40 mm; error "
    "at the corners of a cube (100 mm; BrainWeb, which is cropped, 56 mm; MNI 140 mm); two threads for everybody who "
    "asks how many."
)
_LONGEST_S = 300
_GOOD_MM = 1.0


@dataclass(frozen=True)
class Given:
    """The images, as volumes and as files."""

    pair: Pair
    folder: Path

    @property
    def fixed_file(self) -> Path:
        """The fixed images as NIfTI."""
        return self.folder / "fixed.nii.gz"

    @property
    def moving_file(self) -> Path:
        """The moving images as NIfTI."""
        return self.folder / "moving.nii.gz"


Engine = Callable[[Given, Affine], Affine]


def run(settings: Settings, results: Results) -> None:
    """Each pair, each start, by each program in turn."""
    engines = dict(_present(settings, results))
    for name, make in PAIRS.items():
        if not settings.wants(name):
            continue
        pair = make()
        if pair is None:
            results.remark(f"{name} is missing: no shared data, or no nilearn ({FOLDER_VARIABLE} names its folder)")
            continue
        with folder_in(settings.scratch) as folder:
            _measure(name, Given(pair, folder), engines, settings, results)


def _measure(name: str, given: Given, engines: dict[str, Engine], settings: Settings, results: Results) -> None:
    pair = given.pair
    image_files.write_image_file(given.fixed_file, pair.fixed)
    image_files.write_image_file(given.moving_file, pair.moving)
    for engine in engines.values():  # what is compiled or loaded once is no part of it
        _tried(engine, given, pair.truth)
    good = dict.fromkeys(engines, 0)
    starts = list(pair.starts(settings.amount(50, 4)))
    for start in starts:
        for who, engine in engines.items():
            seconds, found = _tried(engine, given, start)
            error_mm = np.inf if found is None else pair.error_mm(found)
            good[who] += error_mm <= _GOOD_MM
            results.add(Value(name, who, "s", seconds, more_is_better=False))
            if np.isfinite(error_mm):
                results.add(Value(name, who, "mm, largest corner error", error_mm, more_is_better=False))
    for who, count in good.items():
        words = f"% of the starts within {_GOOD_MM:g} mm"
        results.add(Value(name, who, words, 100 * count / len(starts)))


def _present(settings: Settings, results: Results) -> Iterator[tuple[str, Engine]]:
    engines: list[tuple[str, Engine, bool]] = [
        (OURS, _radfuse, True),
        ("SimpleITK Mattes, three levels", _simpleitk, True),
        ("picsl-greedy NMI", _greedy, importlib.util.find_spec("picsl_greedy") is not None),
        ("plastimatch versor MI", _plastimatch, shutil.which("plastimatch") is not None),
        ("elastix", _elastix, shutil.which("elastix") is not None),
    ]
    for name, engine, is_there in engines:
        if settings.only and not any(word.lower() in name.lower() for word in settings.only):
            continue
        if is_there:
            yield name, engine
        else:
            results.remark(f"{name} is not installed")


def _tried(engine: Engine, given: Given, start: Affine) -> tuple[float, Affine | None]:
    began = time.perf_counter()
    try:
        found: Affine | None = engine(given, start)
    except (BenchmarkError, RuntimeError):
        found = None
    return time.perf_counter() - began, found


# --- the engines: a start in, a transform from fixed to moving points out ----------------------


def _radfuse(given: Given, start: Affine) -> Affine:
    return rigid.register_rigid(given.pair.fixed, given.pair.moving, starts=[start]).transform


def _simpleitk(given: Given, start: Affine) -> Affine:
    """As its own examples do it: one start, 50 bins, 20 % of the voxels."""
    sitk = _sitk()
    fixed, moving = (sitk.ReadImage(str(path), sitk.sitkFloat32) for path in (given.fixed_file, given.moving_file))
    transform = _placed(sitk.Euler3DTransform(), start, given.pair.middle_mm)
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(2)
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.2, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 1e-3, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)
    return _affine_of(transform)


def _greedy(given: Given, start: Affine) -> Affine:
    engine: Any = importlib.import_module("picsl_greedy").Greedy3D()
    begun, made = given.folder / "start.mat", given.folder / "found.mat"
    flip = np.diag((-1.0, -1.0, 1.0, 1.0))  # its coordinates point to the right and the front
    np.savetxt(begun, flip @ start.matrix @ flip)
    words = f"-d 3 -a -dof 6 -m NMI -i {given.fixed_file} {given.moving_file} -ia {begun} -o {made} -n 100x100x50"
    words += " -threads 2 -V 0"
    engine.execute(words)
    return Affine(flip @ np.loadtxt(made) @ flip)


def _plastimatch(given: Given, start: Affine) -> Affine:
    """It overlooks the centre of a start, so the start is put into the moving file and the body at the origin."""
    pair, to_origin = given.pair, Affine.of(np.eye(3), -given.pair.middle_mm)
    fixed, moving, made, words = (given.folder / name for name in ("f.nii", "m.nii", "found.tfm", "plastimatch.txt"))
    for volume, path, placing in (
        (pair.fixed, fixed, to_origin),
        (pair.moving, moving, to_origin.after(start.inverse())),
    ):
        grid = Grid(volume.grid.shape, placing.after(volume.grid.to_patient), volume.grid.frame)
        image_files.write_image_file(path, Volume(volume.voxels, grid, volume.unit, volume.source))
    stages = "".join(
        f"\n[STAGE]\nxform=versor\noptim=versor\nmetric=mi\nmax_its={its}\nres={res} {res} {res}\n"
        for res, its in ((4, 100), (2, 100), (1, 50))
    )
    words.write_text(f"[GLOBAL]\nfixed={fixed}\nmoving={moving}\nxform_out={made}\n{stages}", encoding="ascii")
    _program("plastimatch", "register", str(words))
    found = _affine_of(_sitk().ReadTransform(str(made)))
    return start.after(to_origin.inverse()).after(found).after(to_origin)


def _elastix(given: Given, start: Affine) -> Affine:
    folder, middle = given.folder / "elastix", given.pair.middle_mm
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    parameters, begun = folder / "parameters.txt", folder / "start.txt"
    begun.write_text(
        '(Transform "AffineTransform")\n(NumberOfParameters 12)\n'
        f"(TransformParameters {_words(start.linear.ravel())} {_words(start.apply(middle) - middle)})\n"
        '(InitialTransformParametersFileName "NoInitialTransform")\n(HowToCombineTransforms "Compose")\n'
        f"(CenterOfRotationPoint {_words(middle)})\n",
        encoding="ascii",
    )
    parameters.write_text(_ELASTIX, encoding="ascii")
    files = ("-f", str(given.fixed_file), "-m", str(given.moving_file), "-out", str(folder))
    _program("elastix", *files, "-p", str(parameters), "-t0", str(begun), "-threads", "2")
    return start.after(_elastix_affine(folder / "TransformParameters.0.txt"))


_ELASTIX = """
(FixedInternalImagePixelType "float")
(MovingInternalImagePixelType "float")
(UseDirectionCosines "true")
(Registration "MultiResolutionRegistration")
(FixedImagePyramid "FixedSmoothingImagePyramid")
(MovingImagePyramid "MovingSmoothingImagePyramid")
(NumberOfResolutions 3)
(Transform "EulerTransform")
(AutomaticScalesEstimation "true")
(AutomaticTransformInitialization "false")
(Metric "AdvancedMattesMutualInformation")
(NumberOfHistogramBins 32)
(Optimizer "AdaptiveStochasticGradientDescent")
(MaximumNumberOfIterations 500)
(ImageSampler "RandomCoordinate")
(NumberOfSpatialSamples 4096)
(NewSamplesEveryIteration "true")
(Interpolator "LinearInterpolator")
(ResampleInterpolator "FinalLinearInterpolator")
(Resampler "DefaultResampler")
(WriteResultImage "false")
(HowToCombineTransforms "Compose")
"""


def _elastix_affine(path: Path) -> Affine:
    """Euler angles about z, x, y as ITK composes them, then a shift."""
    lines = {line.strip("()\n").split(" ", 1)[0]: line.strip("()\n").split(" ", 1)[1] for line in _facts(path)}
    x, y, z, *shift = (float(word) for word in lines["TransformParameters"].split())
    centre = np.array([float(word) for word in lines["CenterOfRotationPoint"].split()])
    turn = np.array(_sitk().Euler3DTransform(centre.tolist(), x, y, z, shift).GetMatrix()).reshape(3, 3)
    return Affine.of(turn, centre + np.array(shift) - turn @ centre)


def _facts(path: Path) -> Iterator[str]:
    return (line for line in path.read_text(encoding="ascii").splitlines() if line.startswith("(") and " " in line)


def _placed(transform: Any, start: Affine, middle: Points) -> Any:
    transform.SetCenter(middle.tolist())
    transform.SetMatrix(start.linear.ravel().tolist())
    transform.SetTranslation((start.apply(middle) - middle).tolist())
    return transform


def _affine_of(transform: Any) -> Affine:
    moved = np.array([transform.TransformPoint(point) for point in np.vstack((np.zeros(3), np.eye(3))).tolist()])
    return Affine.of((moved[1:] - moved[0]).T, moved[0])


def _sitk() -> Any:
    import SimpleITK

    return SimpleITK


def _words(values: Any) -> str:
    return " ".join(f"{value:.12g}" for value in values)


def _program(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_LONGEST_S)
    if done.returncode:
        raise BenchmarkError(f"{words[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-200:]}")
