import { describe, expect, it } from "vitest";

import { ApiError } from "../../api/client";
import { cameFrom, loginTrouble } from "./words";

describe("after the login", () => {
  it.each([
    [{ from: { pathname: "/jobs/4", search: "?state=failed" } }, "/jobs/4?state=failed"],
    [null, "/"],
    ["nonsense", "/"],
    [{ from: { pathname: "//evil.example", search: "" } }, "/"],
    [{ from: { pathname: "/\\evil.example" } }, "/"],
    [{ from: { pathname: "https://evil.example" } }, "/"],
    [{ from: { pathname: "/login" } }, "/"],
  ])("%o leads to %s", (state, expected) => {
    expect(cameFrom(state)).toBe(expected);
  });
});

describe("a refused login", () => {
  it("does not say which of the two was wrong", () => {
    const error = new ApiError({ title: "Unauthorized", status: 401, detail: "no such user" });
    expect(loginTrouble(error)).toBe("The name or the password is wrong.");
  });

  it("says until when it waits", () => {
    const error = new ApiError({ title: "", status: 429, detail: "try again in 4 s" });
    expect(loginTrouble(error)).toBe("try again in 4 s");
  });
});
