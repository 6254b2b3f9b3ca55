/** People who may log in, and tokens for programs. */

import { useQuery } from "@tanstack/react-query";

import { get, send } from "./client";
import type { NewToken, Role, Token, User } from "./types";
import { useChange } from "./useChange";

const USERS = ["users"];
const TOKENS = ["tokens"];

export interface NewUser {
  name: string;
  full_name: string;
  role: Role;
  password: string;
}

export type UserChange = Partial<Pick<User, "full_name" | "role" | "is_enabled">>;

export interface TokenWish {
  name: string;
  role: Role;
  /** null: it does not end by itself. */
  days: number | null;
}

function path(name: string): string {
  return `/users/${encodeURIComponent(name)}`;
}

export function useUsers(enabled = true) {
  return useQuery({ queryKey: USERS, queryFn: ({ signal }) => get<User[]>("/users", undefined, signal), enabled });
}

export function useAddUser() {
  // The first user ends single-user mode: who we are changes with it.
  return useChange((user: NewUser) => send<User>("POST", "/users", user), USERS, ["session"]);
}

export function useChangeUser() {
  return useChange(({ name, change }: { name: string; change: UserChange }) => send<User>("PATCH", path(name), change), USERS);
}

export function useSetPassword() {
  return useChange(
    ({ name, password }: { name: string; password: string }) => send<User>("PATCH", path(name), { password }),
    USERS,
  );
}

export function useRemoveUser() {
  return useChange((name: string) => send("DELETE", path(name)), USERS, TOKENS);
}

/** One's own tokens, or those of all users. */
export function useTokens(all: boolean) {
  return useQuery({
    queryKey: [...TOKENS, { all }],
    queryFn: ({ signal }) => get<Token[]>("/tokens", all ? { all } : undefined, signal),
  });
}

export function useMakeToken() {
  return useChange((wish: TokenWish) => send<NewToken>("POST", "/tokens", wish), TOKENS);
}

export function useRevokeToken() {
  return useChange((id: string) => send("DELETE", `/tokens/${encodeURIComponent(id)}`), TOKENS);
}
