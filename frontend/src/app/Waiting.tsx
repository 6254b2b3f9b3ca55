import { Center, Loader } from "@mantine/core";
import { Suspense, useEffect, useState, type ReactNode } from "react";

const PATIENCE_MS = 300;

/** Nothing for 300 ms, then a sign of life: a flash of a spinner is worse than none. */
export function Patience() {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      setShown(true);
    }, PATIENCE_MS);
    return () => {
      window.clearTimeout(timer);
    };
  }, []);
  return (
    <Center h="100%" mih={200} aria-busy="true" aria-label="Loading">
      {isShown && <Loader size="sm" />}
    </Center>
  );
}

export function Waiting({ children }: { children: ReactNode }) {
  return <Suspense fallback={<Patience />}>{children}</Suspense>;
}
