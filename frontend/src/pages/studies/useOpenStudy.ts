import { useCallback, useEffect, useRef } from "react";
import { useSearchParams } from "react-router-dom";

/** The open study is in the address: Back closes it, and others can link to it. */
export function useOpenStudy() {
  const [parameters, setParameters] = useSearchParams();
  const open = parameters.get("study");
  const latest = useRef(open);
  useEffect(() => {
    latest.current = open;
  });
  const setOpen = useCallback(
    (study: string | null) => {
      if (study === latest.current) return;
      // From study to study is no step that Back should retrace.
      setParameters(study ? { study } : {}, { replace: latest.current !== null && study !== null });
    },
    [setParameters],
  );
  return [open, setOpen] as const;
}
