import { useEffect, useState } from "react";

/** Seconds since 1970, told again every second while `isTicking`. */
export function useClock(isTicking: boolean): number {
  const [now_s, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (!isTicking) return;
    const timer = window.setInterval(() => {
      setNow(Date.now() / 1000);
    }, 1000);
    return () => {
      window.clearInterval(timer);
    };
  }, [isTicking]);
  return now_s;
}
