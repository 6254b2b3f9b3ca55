import { CloseButton } from "@mantine/core";

import type { PointPair } from "../../api/registering";
import type { Vector } from "../../api/workstation";
import { useWorkspace } from "../model/store";
import { useOwnCursors } from "../view/scenes";
import { setPairs } from "./placing";
import styles from "./registering.module.css";
import { useRegistering } from "./store";

const mm = (value: number | null | undefined): string => (value === null || value === undefined ? "–" : `${value.toFixed(1)} mm`);

/** Both images at a pair. */
function show({ fixed, moving }: PointPair): void {
  const { setCursor, doc } = useWorkspace.getState();
  setCursor(fixed);
  if (doc.overlay) useOwnCursors.setState({ [doc.overlay.series]: moving as Vector });
}

/** Pairs that were clicked; of landmarks what is left at each, and what a fit to the others misses it by. */
export function PairList() {
  const { pairs, half, fit, method } = useRegistering();
  const next = half.fixed ? "Now the same place in the overlay." : half.moving ? "Now the same place in the base." : "";
  const worst = fit && pairs.length > 3 ? fit.worst : -1;
  return (
    <>
      {next && <p className={styles.next} role="status">{next}</p>}
      {pairs.length > 0 && (
        <table className={styles.table}>
          <thead>
            <tr><th scope="col">Pair</th>{method === "landmarks" && <><th scope="col">Left</th><th scope="col">Left out</th></>}<th><span className={styles.hidden}>Remove</span></th></tr>
          </thead>
          <tbody>
            {pairs.map((pair, at) => (
              <tr key={at} data-worst={at === worst || undefined}>
                <td><button type="button" className={styles.link} onClick={() => { show(pair); }}>{at + 1}{at === worst && ", look again"}</button></td>
                {method === "landmarks" && <><td>{mm(fit?.residuals_mm[at])}</td><td>{mm(fit?.left_out_mm[at])}</td></>}
                <td><CloseButton size="xs" aria-label={`Remove pair ${String(at + 1)}`} onClick={() => { setPairs(pairs.filter((each) => each !== pair)); }} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {method === "landmarks" && fit && (
        <p className={styles.quiet}>
          {pairs.length < 3 ? "Shift only: " : ""}RMS {mm(fit.rms_mm)}; expected error between them {mm(fit.expected_error_mm)}
        </p>
      )}
    </>
  );
}
