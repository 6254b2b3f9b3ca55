/** For tests: a CT and a PET of one frame, and an open workspace. */
import type { KeptRegion, Numbers, Opening, RegionShape, VolumeFacts, Workspace } from "../../api/workstation";
import { EMPTY, viewOf } from "../model/document";
import { NOTHING, useWorkspace } from "../model/store";

export const CT = "1.2.3.1";
export const PT = "1.2.3.2";
export const MR = "1.2.3.3";
export const FRAME = "1.2.3.9";

export function facts(series: string, change: Partial<VolumeFacts> = {}): VolumeFacts {
  const isCt = series === CT;
  return {
    id: `voxels of ${series}`,
    SeriesInstanceUID: series,
    StudyInstanceUID: "1.2.3",
    Modality: isCt ? "CT" : "PT",
    SeriesDescription: isCt ? "CT thorax" : "PET whole body",
    StudyDate: "20260105",
    PatientName: "Demo^Radfuse",
    PatientID: "1",
    unit: isCt ? "HU" : "SUVbw",
    units: [],
    stack: 1,
    stacks: [],
    dtype: "int16",
    shape: [40, 128, 128],
    origin_mm: [0, 0, 0],
    spacing_mm: [4, 4, 4],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    FrameOfReferenceUID: FRAME,
    is_resampled: false,
    alignment: {
      kind: isCt ? "base" : "same frame",
      sentence: "both lie in the same frame of reference",
      grade: null,
      grade_reason: "",
      is_deformable: false,
      method: "",
      by: "",
      made: "",
      steps: [],
      warnings: [],
      is_other_patient: false,
      is_other_side: false,
    },
    levels: [],
    range: [0, 10],
    window: isCt ? { low: -160, high: 240 } : { low: 0, high: 7 },
    presets: [],
    colours: isCt ? "gray" : "hot-iron",
    findings: [],
    suv: null,
    suv_refusal: "",
    rotating: null,
    ...change,
  };
}

export const SHAPE: RegionShape = {
  grid: { shape: [40, 128, 128], origin_mm: [0, 0, 0], spacing_mm: [4, 4, 4], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], FrameOfReferenceUID: FRAME },
  bounds: [0, 2, 0, 2, 0, 2],
  runs: "AAAAAAgAAAA=",
};

export function numbers(series: string, change: Partial<Numbers> = {}): Numbers {
  return {
    SeriesInstanceUID: series,
    unit: series === CT ? "HU" : "SUVbw",
    voxels: 8,
    volume_ml: 2,
    max: 10,
    max_at_mm: [1, 2, 3],
    mean: 5,
    sd: 1,
    min: 4,
    median: 5,
    peak: 9,
    peak_at_mm: [1, 2, 3],
    peak_volume_ml: 1,
    tlg: 10,
    longest_mm: 8,
    perpendicular_mm: 8,
    findings: [],
    ...change,
  };
}

export const LESION: Omit<KeptRegion, "id" | "number" | "colour" | "made_by" | "made_s"> = {
  name: "",
  series: PT,
  rule: { kind: "threshold", seed_mm: [1, 2, 3], of: "max", value: 41, within: null },
  shape: SHAPE,
  numbers: [numbers(PT)],
  is_visible: true,
  kind: "lesion",
};

export const OPENING: Opening = {
  PatientName: "Demo^Radfuse",
  PatientID: "1",
  PatientBirthDate: "19610412",
  PatientSex: "O",
  studies: [
    {
      StudyInstanceUID: "1.2.3",
      StudyDate: "20260105",
      StudyDescription: "PET/CT",
      series: [
        { SeriesInstanceUID: CT, Modality: "CT", SeriesDescription: "CT thorax", instances: 40, FrameOfReferenceUID: FRAME, shows_as: "volume", reason: "" },
        { SeriesInstanceUID: PT, Modality: "PT", SeriesDescription: "PET whole body", instances: 40, FrameOfReferenceUID: FRAME, shows_as: "volume", reason: "" },
        { SeriesInstanceUID: MR, Modality: "MR", SeriesDescription: "MR T1", instances: 32, FrameOfReferenceUID: "1.2.3.8", shows_as: "volume", reason: "" },
      ],
    },
  ],
  proposal: { base: CT, overlay: PT, prior: null, layout: "fused", reason: "PET on CT: one frame of reference" },
};

export const WORKSPACE: Workspace = {
  id: "w1",
  revision: 1,
  study: "1.2.3",
  title: "",
  made_by: "ada",
  changed_by: "ada",
  changed_s: 1000,
  state: { ...EMPTY, base: viewOf(CT), overlay: viewOf(PT) },
};

/** As after opening: both are read and shown. */
export function openScene(): void {
  useWorkspace.setState({ ...NOTHING });
  const { open, setFacts, learn } = useWorkspace.getState();
  open(WORKSPACE, { database: "", user: "ada" });
  learn({ opening: OPENING });
  setFacts(CT, facts(CT));
  setFacts(PT, facts(PT));
}
