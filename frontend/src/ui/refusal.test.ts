import { expect, test } from "vitest";

import { ApiError } from "../api/client";
import { reasonOf } from "./refusal";

test.each([
  ["limits.pdu_s", "limits.pdu_s: should be greater than 0", "Should be greater than 0."],
  ["name", "is too long", "Is too long."],
  [undefined, "databases: 'A' is not a name", "Databases: 'A' is not a name."],
])("what is wrong with %s", (setting, detail, words) => {
  expect(reasonOf(new ApiError({ title: "", status: 400, detail, ...(setting !== undefined && { setting }) }))).toBe(words);
});
