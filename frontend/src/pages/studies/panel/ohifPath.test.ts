import { expect, test } from "vitest";

import { ohifPath } from "./ohifPath";

test("a study is shown from the database that it is in", () => {
  expect(ohifPath("1.2.3", "")).toBe("/ohif/viewer?StudyInstanceUIDs=1.2.3");
  expect(ohifPath("1.2.3", "default")).toBe("/ohif/viewer?StudyInstanceUIDs=1.2.3");
  expect(ohifPath("1.2.3", "trial 7")).toBe("/ohif/viewer/trial%207?StudyInstanceUIDs=1.2.3");
});
