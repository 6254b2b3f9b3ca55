/** Routing rules. */

import { useMutation, useQuery } from "@tanstack/react-query";

import { get, send } from "./client";
import type { Rehearsal, Rule } from "./types";
import { useChange } from "./useChange";

const KEY = ["rules"];

export function useRules() {
  return useQuery({ queryKey: KEY, queryFn: ({ signal }) => get<Rule[]>("/rules", undefined, signal) });
}

function path(name: string): string {
  return `/rules/${encodeURIComponent(name)}`;
}

/** Everything that changes rules; peers tell which rules send to them. */
const CHANGED = [KEY, ["peers"]];

export function useSaveRule() {
  return useChange(
    ({ name, definition }: { name: string; definition: string }) => send<Rule>("PUT", path(name), { definition }),
    ...CHANGED,
  );
}

export function useEnableRule() {
  return useChange(
    ({ name, is_enabled }: { name: string; is_enabled: boolean }) => send<Rule>("PATCH", path(name), { is_enabled }),
    ...CHANGED,
  );
}

export function useRemoveRule() {
  return useChange((name: string) => send("DELETE", path(name)), ...CHANGED);
}

export function useRehearsal() {
  return useMutation({
    mutationFn: (definition: string) => send<Rehearsal>("POST", "/rules/rehearse", { definition }),
  });
}
