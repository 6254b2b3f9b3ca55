/** Each modality has one colour and one name, everywhere in the product (PS3.3 section C.7.3.1.1.1). */

interface Modality {
  name: string;
  /** Its hue; the badge makes text and ground of it for dark and light. */
  color: string;
}

const IMAGES = {
  CT: { name: "Computed tomography", color: "#6aa5ef" },
  MR: { name: "Magnetic resonance", color: "#b68cf0" },
  PT: { name: "Positron emission tomography", color: "#f0943c" },
  NM: { name: "Nuclear medicine", color: "#e5b93c" },
  US: { name: "Ultrasound", color: "#4fc7b2" },
  IVUS: { name: "Intravascular ultrasound", color: "#4fc7b2" },
  CR: { name: "Computed radiography", color: "#9db3c8" },
  DX: { name: "Digital radiography", color: "#9db3c8" },
  DR: { name: "Digital radiography", color: "#9db3c8" },
  RG: { name: "Radiographic imaging", color: "#9db3c8" },
  RF: { name: "Radio fluoroscopy", color: "#86b8c4" },
  XA: { name: "X-ray angiography", color: "#ee7f9c" },
  MG: { name: "Mammography", color: "#ee8fd0" },
  IO: { name: "Intra-oral radiography", color: "#9db3c8" },
  PX: { name: "Panoramic X-ray", color: "#9db3c8" },
  OP: { name: "Ophthalmic photography", color: "#7fc36a" },
  OPT: { name: "Ophthalmic tomography", color: "#7fc36a" },
  ES: { name: "Endoscopy", color: "#d98f6f" },
  XC: { name: "External-camera photography", color: "#d98f6f" },
  SM: { name: "Slide microscopy", color: "#d47fc1" },
  SC: { name: "Secondary capture", color: "#a5adb6" },
  OT: { name: "Other", color: "#a5adb6" },
} satisfies Record<string, Modality>;

const OBJECTS = {
  SEG: { name: "Segmentation", color: "#76c893" },
  REG: { name: "Registration", color: "#5cc8e0" },
  RTSTRUCT: { name: "Radiotherapy structure set", color: "#76c893" },
  RTPLAN: { name: "Radiotherapy plan", color: "#c9a56b" },
  RTDOSE: { name: "Radiotherapy dose", color: "#c9a56b" },
  RTIMAGE: { name: "Radiotherapy image", color: "#c9a56b" },
  SR: { name: "Structured report", color: "#b9c36a" },
  DOC: { name: "Document", color: "#b9c36a" },
  KO: { name: "Key object selection", color: "#b9c36a" },
  PR: { name: "Presentation state", color: "#b9c36a" },
  ECG: { name: "Electrocardiography", color: "#e57373" },
} satisfies Record<string, Modality>;

const KNOWN: Record<string, Modality | undefined> = { ...IMAGES, ...OBJECTS };

/** What was scanned before what was made of it: one looks for a PET/CT, not for its reports. */
export function imagesFirst(codes: readonly string[]): string[] {
  const isMade = (code: string) => Number(code in OBJECTS || code === "OT" || code === "SC");
  return [...codes].sort((one, other) => isMade(one) - isMade(other));
}

export function modalityOf(code: string): Modality {
  return KNOWN[code] ?? { name: code || "No modality given", color: IMAGES.OT.color };
}
