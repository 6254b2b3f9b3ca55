import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";

/** A change, done or refused, after which what the keys have read is read again. */
export function useChange<T, R>(change: (wanted: T) => Promise<R>, ...keys: QueryKey[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}
