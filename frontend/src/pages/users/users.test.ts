import { expect, test } from "vitest";

import { hintOf } from "./passwords";
import { rolesUpTo } from "./roles";

test.each([
  ["", "anna", false],
  ["123456789", "anna", false],
  ["1234567890", "anna", true],
  ["aaaaaaaaaaaa", "anna", false],
  ["anna.miller", "Anna.Miller ", false],
  ["e\u0301e\u0301e\u0301e\u0301e\u0301x", "anna", false],
  ["correct horse battery", "anna", true],
])("the password %j of %s: good enough is %s", (password, name, isGoodEnough) => {
  expect(hintOf(password, name)).toMatchObject({ isGoodEnough });
});

test("a token has at most the role of its owner", () => {
  expect(rolesUpTo("operator")).toEqual(["reader", "operator"]);
});
