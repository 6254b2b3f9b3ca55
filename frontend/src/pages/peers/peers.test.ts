import { describe, expect, it } from "vitest";

import { addressOf, faultOf, formOf, matches, parseAddress, peerOf, peerOnly } from "./peerForm";

const FILLED = { ...formOf(null), name: "PACS1", ae_title: "PACS", host: "10.0.0.5", port: "104" };

describe("a peer as it is filled in", () => {
  it("comes back as it was", () => {
    const { peer, faults } = peerOf(FILLED);
    expect(faults).toEqual({});
    expect(peer).toMatchObject({ port: 104, retries: null, retry_delay_s: 60, artim_s: null });
    expect(peerOf(formOf(peer)).peer).toEqual(peer);
  });

  it("says what is missing and what is no number", () => {
    expect(Object.keys(peerOf(formOf(null)).faults).sort()).toEqual(["ae_title", "host", "name", "port"]);
    expect(peerOf({ ...FILLED, port: "1o4", connect_s: "soon" }).faults).toEqual({ port: "This is no number.", connect_s: "This is no number." });
  });

  it("has no name of a certificate without TLS", () => {
    expect(peerOf({ ...FILLED, tls: false, tls_name: "pacs.example.org" }).peer.tls_name).toBe("");
    expect(peerOf({ ...FILLED, tls: true, tls_name: " pacs.example.org " }).peer.tls_name).toBe("pacs.example.org");
  });

  it("is sent without what the service only tells", () => {
    const { peer } = peerOf(FILLED);
    const told = { ...peer, rules: ["r"], jobs_unfinished: 1, jobs_failed: 2 };
    expect(peerOnly(told)).toEqual(peer);
    expect(peerOf(formOf(told)).peer).toEqual(peer);
  });
});

describe("a refusal", () => {
  it("stands at the field that it names", () => {
    expect(faultOf("retry_delay_s", "retry_delay_s: 0 is no delay")).toEqual({ retry_delay_s: "0 is no delay." });
    expect(faultOf("peer", "no name")).toEqual({ name: "No name." });
    expect(faultOf("body.port", "too big")).toEqual({ port: "Too big." });
  });

  it("of something else stands at no field", () => {
    expect(faultOf(undefined, "no room")).toEqual({});
    expect(faultOf("limits.pdu_s", "no")).toEqual({});
  });
});

describe("an address", () => {
  it("is read as manuals write it", () => {
    expect(parseAddress(" MY PACS@10.0.0.5:104 ")).toEqual({ ae_title: "MY PACS", host: "10.0.0.5", port: "104" });
    expect(parseAddress("A@[::1]:11112")).toEqual({ ae_title: "A", host: "::1", port: "11112" });
    expect(parseAddress("pacs.example.org")).toBeNull();
  });

  it("is written as it is read", () => {
    expect(addressOf({ ae_title: "A", host: "::1", port: 104 })).toBe("A@[::1]:104");
    expect(addressOf({ ae_title: "A", host: "h", port: 104 })).toBe("A@h:104");
  });
});

it("peers are found by every word of their name and address", () => {
  const { peer } = peerOf(FILLED);
  expect(matches(peer, "")).toBe(true);
  expect(matches(peer, "pacs 10.0")).toBe(true);
  expect(matches(peer, "pacs 11.0")).toBe(false);
});
