import { Alert, Button, Checkbox, CloseButton, Progress, SegmentedControl, Select } from "@mantine/core";
import { useEffect } from "react";

import { hasRole, useSession } from "../../app/session";
import { capitalized, useKeys } from "../../ui";
import { useKnownSeries } from "../model/hooks";
import { useWorkspace } from "../model/store";
import { seriesWords } from "../model/words";
import { cancel, chooseMethod, closeRegistering, compare, run, startRegistering, wanted } from "./actions";
import { HandControls } from "./HandControls";
import { MetricChart } from "./MetricChart";
import { PairList } from "./PairList";
import { PartControls } from "./PartControls";
import { ProposalCard } from "./ProposalCard";
import styles from "./registering.module.css";
import { isRunning, useRegistering, type Kind, type Method } from "./store";

const METHODS: Record<Method, { label: string; help: string }> = {
  click: { label: "From a click", help: "Click the same place in both; the rest is found from there. This is the surest start." },
  none: { label: "By itself", help: "All starts are tried: right for the same part of the body, no proof by itself." },
  kept: { label: "From how it lies", help: "Begins from the registrations that are kept, to make them finer." },
  landmarks: { label: "Landmarks", help: "Click the same places in both. Each pair says how far the others miss it." },
  manual: { label: "By hand", help: "Drag in a pane to shift, with Shift to turn. The whole image is moved; nothing is resampled." },
};

const KINDS = [
  { value: "rigid", label: "Rigid" },
  { value: "affine", label: "Affine" },
  { value: "deformable", label: "Deformable" },
];

/** Registering the overlay onto the base: choose, watch, look, decide. */
export function RegisteringPanel() {
  useEffect(startRegistering, []);
  const isOpen = useRegistering((state) => state.isOpen);
  return isOpen ? <Open /> : null;
}

function Open() {
  const proposal = useRegistering((state) => state.proposal);
  const running = useRegistering(isRunning);
  const base = useKnownSeries(useWorkspace((state) => state.doc.base?.series));
  const overlay = useKnownSeries(useWorkspace((state) => state.doc.overlay?.series));
  return (
    <section className={styles.panel} aria-label="Registering">
      <div className={styles.head}>
        <h2>Register {overlay.Modality} onto {base.Modality}</h2>
        {!running && !proposal && <CloseButton size="sm" aria-label="Stop registering" onClick={closeRegistering} />}
      </div>
      <p className={styles.quiet}>{seriesWords(overlay)} onto {seriesWords(base)}</p>
      {running ? <Running /> : proposal ? <Proposed /> : <Choose />}
    </section>
  );
}

function Proposed() {
  const proposal = useRegistering((state) => state.proposal);
  useKeys([{ keys: "v", label: "Before and after the registration", group: "Everywhere", run: compare }]);
  return proposal && <ProposalCard proposal={proposal} />;
}

const SHARE = /(\d+) %$/;

function Running() {
  const job = useRegistering((state) => state.job);
  const message = job?.message ?? "";
  const share = Number(SHARE.exec(message)?.[1] ?? 0);
  const doing = message.replace(/, \d+ %$/, "");
  return (
    <>
      <div role="status" aria-live="polite">{job?.state === "queued" ? "Waits for its turn" : capitalized(doing || "begins")} …</div>
      {job?.live?.metric && <MetricChart metric={job.live.metric} />}
      <Progress value={share} size="sm" animated aria-label="How far the registration is" />
      <div className={styles.buttons}>
        <span className={styles.quiet}>{share} %</span>
        <Button size="compact-sm" variant="default" onClick={() => void cancel()}>Cancel</Button>
      </div>
    </>
  );
}

function Choose() {
  const { method, kind, problem, onBase, isSameFrameMeant } = useRegistering();
  const mayRun = hasRole(useSession(), "operator");
  // What is missing depends on all of these.
  useRegistering((state) => `${String(state.pairs.length)} ${String(state.hand !== null)} ${state.part} ${String(state.region !== null)}`);
  const missing = wanted();
  const all = (Object.keys(METHODS) as Method[]).filter((each) => each !== "kept" || onBase?.alignment.kind === "registered");
  const isAutomatic = method !== "landmarks" && method !== "manual";
  return (
    <>
      <Select
        size="xs" label="How" allowDeselect={false} value={method} comboboxProps={{ withinPortal: true }}
        data={all.map((value) => ({ value, label: METHODS[value].label }))}
        onChange={(value) => { if (value) chooseMethod(value as Method); }}
      />
      <p className={styles.quiet}>{METHODS[method].help}</p>
      {isAutomatic && (
        <SegmentedControl size="xs" fullWidth data={KINDS} value={kind} aria-label="Kind of registration" onChange={(value) => { useRegistering.setState({ kind: value as Kind }); }} />
      )}
      {(method === "click" || method === "landmarks") && <PairList />}
      {method === "manual" && <HandControls />}
      {method !== "landmarks" && <PartControls />}
      {onBase?.alignment.kind === "same frame" && (
        <Checkbox
          size="xs" label="Register all the same: what was shown moved meanwhile" checked={isSameFrameMeant}
          onChange={(event) => { useRegistering.setState({ isSameFrameMeant: event.currentTarget.checked }); }}
        />
      )}
      {problem && <Alert color="red" p="xs" role="alert">{problem}</Alert>}
      <Button size="compact-md" disabled={typeof missing === "string" || !mayRun} onClick={() => void run()}>
        {isAutomatic ? "Register" : "Judge it"}
      </Button>
      {typeof missing === "string" && <p className={styles.quiet}>{missing}</p>}
      {!mayRun && <p className={styles.quiet}>An operator may register; you can try landmarks and moving by hand.</p>}
    </>
  );
}
