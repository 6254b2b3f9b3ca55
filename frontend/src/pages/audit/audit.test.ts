import { describe, expect, test } from "vitest";

import { csvOf } from "./csv";
import { actionChoices, sentence } from "./sentences";

describe("sentences of the access log", () => {
  test.each([
    ["login", "", "Logged in"],
    ["search", "doe ct", "Searched for “doe ct”"],
    ["search", "$& {}", "Searched for “$& {}”"],
    ["send", "PACS1", "Sent to PACS1"],
    ["view", "", "Viewed a study"],
    ["user changed", "anna: role reader", "Changed the user anna: role reader"],
    ["retry job", "job 12", "Tried job 12 again"],
    ["cache emptied", "", "Cache emptied"],
    ["index rebuilt", "default", "Index default rebuilt"],
    ["rehearse", "pet", "Rehearse: pet"],
  ])("%s of %j", (action, subject, words) => {
    expect(sentence({ action, subject, outcome: "done" })).toBe(words);
  });

  test("a login that was refused is not told as one", () => {
    expect(sentence({ action: "login", subject: "", outcome: "refused" })).toBe("Tried to log in");
    expect(sentence({ action: "rule changed", subject: "pet", outcome: "failed" })).toBe("Tried to change the rule pet");
  });

  test("an action that only the log knows can be chosen too", () => {
    const entry = { id: 1, time_s: 0, last_s: 0, user: "", address: "", action: "peer changed", outcome: "done" as const, study: "", subject: "", count: 1, request: "" };
    expect(actionChoices([entry, entry]).filter((each) => each === "peer changed")).toHaveLength(1);
  });
});

describe("CSV", () => {
  test("fields with commas, quotation marks and line ends are quoted", () => {
    expect(csvOf(["a", "b"], [['x,"y"', "1\n2"]])).toBe('a,b\r\n"x,""y""","1\n2"\r\n');
  });

  test.each(["=1+1", "+1", "-1", "@x", "\tx"])("%j does not become a formula", (text) => {
    expect(csvOf(["a"], [[text]])).toContain(`'${text}`);
  });

  test("a number stays a number", () => {
    expect(csvOf(["a"], [[-1]])).toBe("a\r\n-1\r\n");
  });
});
