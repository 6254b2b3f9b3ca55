/** The options of the profile (PS3.15 section E.3) in words, and those that belong together. */

export type Dates = "removed" | "shifted" | "kept";

export interface Choice {
  dates: Dates;
  /** The other options. */
  options: readonly string[];
}

export interface OptionWords {
  name: string;
  label: string;
  explains: string;
}

export const RETAINED: readonly OptionWords[] = [
  { name: "patient", label: "Patient characteristics", explains: "Sex, age, height, weight, allergies, pregnancy" },
  { name: "device", label: "Device", explains: "Which scanner it was: serial number, station name" },
  { name: "institution", label: "Institution", explains: "Name and address of the department" },
  { name: "uids", label: "UIDs", explains: "Lead back to the original wherever that is kept" },
  { name: "private", label: "Safe private attributes", explains: "Those of which it is known that they tell nobody" },
];

export const CLEANED: readonly OptionWords[] = [
  { name: "descriptors", label: "Descriptions", explains: "Of studies, series, protocols: known words stay, others go" },
  { name: "structured-content", label: "Structured reports", explains: "Measurements and codes stay, free text goes" },
  { name: "graphics", label: "Graphics", explains: "Regions and shapes stay, what is written beside them goes" },
  { name: "pixels", label: "Pixels", explains: "Where devices write names into images, that part becomes black" },
];

export const DATES: readonly { value: Dates; label: string }[] = [
  { value: "removed", label: "Removed" },
  { value: "shifted", label: "Shifted" },
  { value: "kept", label: "Kept" },
];

export const DATES_WORDS: Record<Dates, string> = {
  removed: "No date or time stays.",
  shifted: "All of a patient by the same number of days: what lay between them stays true.",
  kept: "As they are. Together with a place they may lead to a person.",
};

interface Preset extends Choice {
  name: string;
  label: string;
  explains: string;
}

export const PRESETS: readonly [Preset, ...Preset[]] = [
  {
    name: "basic",
    label: "Basic",
    explains: "Everything that may lead to a person goes.",
    dates: "removed",
    options: [],
  },
  {
    name: "pet",
    label: "PET quantities kept",
    explains: "Weight, injection and decay times stay true, so that SUV stays the same; dates are shifted.",
    dates: "shifted",
    options: ["patient", "device"],
  },
];

/** The preset that a choice is; none for one's own. */
export function presetOf({ dates, options }: Choice): Preset | undefined {
  return PRESETS.find(
    (preset) =>
      preset.dates === dates &&
      preset.options.length === options.length &&
      preset.options.every((name) => options.includes(name)),
  );
}

export function toggled(choice: Choice, name: string): Choice {
  const { options } = choice;
  return { ...choice, options: options.includes(name) ? options.filter((each) => each !== name) : [...options, name] };
}

/** As the service takes it. */
export function namesOf({ dates, options }: Choice): string[] {
  const ofDates = { removed: [], shifted: ["shifted-dates"], kept: ["dates"] }[dates];
  return [...ofDates, ...options];
}
