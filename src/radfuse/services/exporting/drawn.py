"""Regions and numbers of a draft as objects: Segmentations, RT Structure Sets, Comprehensive SR."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from radfuse.objects.common import Making, NewSeries, Provenance, reference_to
from radfuse.roi import tracing
from radfuse.roi.boxes import drawn_on
from radfuse.services.drawing import RegionAsk, make_region, rules
from radfuse.services.exporting.model import Draft
from radfuse.services.workspace_objects.images import Images
from radfuse.services.workspace_objects.model import SavedLine, SavedRegion
from radfuse.services.workspace_objects.report import report_of
from radfuse.services.workspace_objects.segmentations import MadeSegmentation, rule_text, segmentation_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_REGIONS: Final = "Regions"
_MEASUREMENTS: Final = "Measurements"
_LABEL: Final = "RADFUSE"


@dataclass(eq=False)
class Drawings:
    """What was drawn, as objects. A Segmentation that a report needs as well is made once."""

    images: Images
    draft: Draft
    making: Making
    _made: dict[tuple[str, ...], MadeSegmentation] = field(default_factory=dict)
    _measured: dict[str, SavedRegion] = field(default_factory=dict)

    def segmentations(self, ids: Iterable[str]) -> list[Dataset]:
        """One for each series; those that were not made before."""
        return [made.ds for made, _, is_new in self._segmented(ids) if is_new]

    def structure_sets(self, ids: Iterable[str]) -> list[Dataset]:
        """One for each series, outlined along the edges of its voxels."""
        return [self._structure_set(series, regions) for series, regions in self._by_series(ids)]

    def reports(self, ids: Iterable[str]) -> list[Dataset]:
        """One for each patient, and the Segmentations they speak of that were not made before."""
        wanted = list(ids)
        segmented = self._segmented(wanted)
        lines = self.lines(wanted)
        all_of = [*(made.series for made, _, _ in segmented), *(line.series for line in lines)]
        patients = {series: self.images.patient(series) for series in all_of}
        found = [made.ds for made, _, is_new in segmented if is_new]
        for number, patient in enumerate(dict.fromkeys(patients.values()), 1):
            some = [(made, regions) for made, regions, _ in segmented if patients[made.series] == patient]
            report = report_of(
                self.images,
                some,
                [line for line in lines if patients[line.series] == patient],
                self.draft.view_of,
                series=NewSeries(_MEASUREMENTS, instance_number=number),
                making=self.making,
            )
            found += [report] if report is not None else []
        return found

    def regions(self, ids: Iterable[str]) -> list[SavedRegion]:
        """Those that are regions, with the numbers of the service: measured now, not what the draft says they were."""
        return [self._with_numbers(self.draft.regions[each]) for each in ids if each in self.draft.regions]

    def lines(self, ids: Iterable[str]) -> list[SavedLine]:
        """Those that are lines."""
        return [self.draft.lines[each] for each in ids if each in self.draft.lines]

    def _with_numbers(self, region: SavedRegion) -> SavedRegion:
        if region.id not in self._measured:
            view_of = self.draft.view_of
            others = dict.fromkeys(each.series_uid for each in region.numbers if each.series_uid != region.series)
            ask = RegionAsk(view_of(region.series), rules.Given(region.mask), tuple(map(view_of, others)))
            self._measured[region.id] = replace(region, numbers=make_region(self.images.archive, ask).numbers)
        return self._measured[region.id]

    def _by_series(self, ids: Iterable[str]) -> list[tuple[str, list[SavedRegion]]]:
        found: dict[str, list[SavedRegion]] = {}
        for region in self.regions(ids):
            found.setdefault(region.series, []).append(region)
        return list(found.items())

    def _segmented(self, ids: Iterable[str]) -> list[tuple[MadeSegmentation, list[SavedRegion], bool]]:
        return [self._segmentation(series, regions) for series, regions in self._by_series(ids)]

    def _segmentation(
        self, series: str, regions: list[SavedRegion]
    ) -> tuple[MadeSegmentation, list[SavedRegion], bool]:
        key = tuple(region.id for region in regions)
        is_new = key not in self._made
        if is_new:
            where = NewSeries(_REGIONS)
            view = self.draft.view_of(series)
            self._made[key] = segmentation_of(self.images, view, regions, series=where, making=self.making)
        return self._made[key], regions, is_new

    def _structure_set(self, series: str, regions: Sequence[SavedRegion]) -> Dataset:
        from radfuse.objects.rtstruct import Roi, build_structure_set

        view = self.draft.view_of(series)
        volume, headers = self.images.volume(view), self.images.headers(view)
        rois = []
        for number, region in enumerate(regions, 1):
            drawn = drawn_on(volume.grid, region.mask)
            first = drawn.box.first[0]
            slices = volume.source.instance_uids[first : first + drawn.box.shape[0]]
            traced = tracing.trace(drawn.mask, region.label, image_uids=slices)
            structure = replace(traced, colour=region.colour, number=number)
            rois.append(Roi(structure, algorithm=_algorithm(region), description=rule_text(region.rule)))
        provenance = Provenance(
            "regions of the workstation",
            {f"region {number}": rule_text(region.rule) for number, region in enumerate(regions, 1)},
            tuple(map(reference_to, headers)),
        )
        return build_structure_set(
            rois, headers, label=_LABEL, provenance=provenance, making=self.making, series=NewSeries(_REGIONS)
        )


def _algorithm(region: SavedRegion) -> str:
    return "MANUAL" if region.rule.get("kind") in ("shape", "contours", "combine") else "SEMIAUTOMATIC"
