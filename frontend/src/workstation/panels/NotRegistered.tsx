import { Button } from "@mantine/core";
import { IconBan, IconPhotoOff } from "@tabler/icons-react";

import { showImages } from "../images/model";
import { useKnownSeries } from "../model/hooks";
import { useWorkspace } from "../model/store";
import { reasonOf, titleWords } from "../model/words";
import { openRegistering } from "../registering/actions";
import { askConsent, isConsentable } from "./consent";
import styles from "./reason.module.css";

const HEADS: Record<string, string> = {
  registration: "Not registered",
  allow_other_patient: "Not shown: another patient",
  allow_other_side: "Not shown: the other side of the body",
  allow_failed: "Not shown: the registration failed its check",
};

/** In place of an overlay that has no business there: hard, with what can be done. */
export function NotRegistered({ series }: { series: string | null | undefined }) {
  const problem = useWorkspace((state) => (series ? state.problems[series] : undefined));
  const setLayout = useWorkspace((state) => state.setLayout);
  const pair = usePair(series);
  if (!series || problem?.status !== 409) return null;
  return (
    <div className={styles.block} data-tone="bad" role="alert">
      <IconBan size={30} stroke={1.6} aria-hidden />
      <h3>{HEADS[problem.setting] ?? "Not registered"}</h3>
      <p>{pair && `${pair}: `}{reasonOf(undefined, problem).sentence}</p>
      <div className={styles.buttons}>
        {isConsentable(problem) ? (
          <Button size="compact-md" color="orange" variant="light" onClick={() => { askConsent(series, problem); }}>
            Show it all the same …
          </Button>
        ) : (
          <>
            <Button size="compact-md" onClick={() => { openRegistering("click"); }}>Register</Button>
            <Button size="compact-md" variant="default" onClick={() => { openRegistering("landmarks"); }}>Use landmarks</Button>
          </>
        )}
        <Button size="compact-md" variant="default" onClick={() => { setLayout("side"); }}>
          Show side by side
        </Button>
      </div>
    </div>
  );
}

/** "CT thorax, low dose, and MR T1 thorax": which two. */
function usePair(series: string | null | undefined): string {
  const [base, other] = [useKnownSeries(useWorkspace((state) => state.doc.base?.series)), useKnownSeries(series)];
  return base.Modality && other.Modality ? `${titleWords(base)}, and ${titleWords(other)}` : "";
}

/** In place of a series that is no volume, or cannot be read. */
export function CannotShow({ series }: { series: string | null | undefined }) {
  const problem = useWorkspace((state) => (series ? state.problems[series] : undefined));
  if (!series || !problem || problem.status === 409) return null;
  return (
    <div className={styles.block} role="alert">
      <IconPhotoOff size={30} stroke={1.6} aria-hidden />
      <h3>{problem.status === 422 ? "This series is no volume" : "This series cannot be shown"}</h3>
      <p>{problem.sentence}</p>
      {problem.status === 422 && (
        <div className={styles.buttons}>
          <Button size="compact-md" variant="default" onClick={() => { showImages(series); }}>
            Show its images
          </Button>
        </div>
      )}
    </div>
  );
}
