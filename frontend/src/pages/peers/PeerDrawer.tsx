import { Button, Drawer, Group } from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";

import { problemOf } from "../../api/client";
import { testUnsaved, useSavePeer } from "../../api/peers";
import type { Peer, PeerInfo, PeerTest } from "../../api/types";
import { ErrorBox } from "../../ui";
import { AdvancedFields } from "./AdvancedFields";
import { ADVANCED, faultOf, formOf, peerOf, type Faults, type PeerForm } from "./peerForm";
import classes from "./peers.module.css";
import { PeerFields } from "./PeerFields";
import { TestSteps } from "./TestSteps";

interface PeerDrawerProps {
  edited: PeerInfo | "new" | null;
  others: PeerInfo[];
  onClose: () => void;
}

/** Adding or changing a peer: tested before it is saved, if one likes. */
export function PeerDrawer({ edited, others, onClose }: PeerDrawerProps) {
  return (
    <Drawer
      opened={edited !== null}
      onClose={onClose}
      size={560}
      title={edited === "new" || edited === null ? "Add a peer" : `Edit ${edited.name}`}
      classNames={{ body: classes.drawer ?? "", header: classes.drawerHeader ?? "", title: classes.drawerTitle ?? "" }}
    >
      {edited !== null && <Editor peer={edited === "new" ? null : edited} others={others} onClose={onClose} />}
    </Drawer>
  );
}

export interface FieldsProps {
  form: PeerForm;
  faults: Faults;
  set: (values: Partial<PeerForm>) => void;
}

function Editor({ peer, others, onClose }: { peer: PeerInfo | null; others: PeerInfo[]; onClose: () => void }) {
  const [form, setForm] = useState(() => formOf(peer));
  const [faults, setFaults] = useState<Faults>({});
  const [isAdvanced, setAdvanced] = useState(false);
  const save = useSavePeer();
  const trial = useTrial();

  function set(values: Partial<PeerForm>): void {
    setForm((old) => ({ ...old, ...values }));
    setFaults((old) => Object.fromEntries(Object.entries(old).filter(([field]) => !(field in values))));
    trial.forget();
  }

  function tell(found: Faults): void {
    setFaults(found);
    if (ADVANCED.some((field) => field in found)) setAdvanced(true);
  }

  /** The peer as it is filled in; null, with what is wrong told, when it cannot be. */
  function filled(): Peer | null {
    const { peer: wanted, faults: found } = peerOf(form);
    if (wanted.name !== peer?.name && others.some((other) => other.name === wanted.name)) found.name = "There is a peer of this name.";
    tell(found);
    return Object.keys(found).length === 0 ? wanted : null;
  }

  async function attempt(what: (wanted: Peer) => Promise<unknown>): Promise<void> {
    const wanted = filled();
    if (!wanted) return;
    try {
      await what(wanted);
    } catch (error) {
      const problem = problemOf(error);
      tell(faultOf(problem.setting, problem.detail));
    }
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    void attempt(async (wanted) => {
      await save.mutateAsync({ peer: wanted, ...(peer && { known: peer.name }) });
      onClose();
    });
  }

  const problem = save.error ?? trial.error;
  const isTold = problem !== null && Object.keys(faultOf(problemOf(problem).setting, "")).length > 0;
  return (
    <form onSubmit={submit} className={classes.editor} noValidate>
      <div className={classes.fields}>
        <PeerFields form={form} faults={faults} set={set} isNew={peer === null} />
        <AdvancedFields form={form} faults={faults} set={set} isOpen={isAdvanced} onOpen={setAdvanced} />
      </div>
      <footer className={classes.footer}>
        {trial.test && <TestSteps test={trial.test} />}
        {problem !== null && !isTold && <ErrorBox error={problem} />}
        <Group justify="space-between" gap={8}>
          <Button
            variant="default"
            leftSection={<IconPlugConnected size={16} />}
            loading={trial.isRunning}
            onClick={() => void attempt(trial.run)}
          >
            Test
          </Button>
          <Group gap={8}>
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={save.isPending}>{peer === null ? "Add peer" : "Save"}</Button>
          </Group>
        </Group>
      </footer>
    </form>
  );
}

/** A test of what is filled in; forgotten as soon as that changes. */
function useTrial() {
  const [test, setTest] = useState<PeerTest | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [isRunning, setRunning] = useState(false);
  function forget(): void {
    setTest(null);
    setError(null);
  }
  async function run(peer: Peer): Promise<void> {
    forget();
    setRunning(true);
    try {
      setTest(await testUnsaved(peer));
    } catch (caught) {
      setError(caught as Error);
      throw caught;
    } finally {
      setRunning(false);
    }
  }
  return { test, error, isRunning, run, forget };
}
