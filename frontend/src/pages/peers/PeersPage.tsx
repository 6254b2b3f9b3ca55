import { Anchor, Button, Skeleton, TextInput } from "@mantine/core";
import { IconPlugConnected, IconPlus, IconSearch, IconServer2 } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router-dom";

import { useDeletePeer, usePeers, useSavePeer, useTestPeer } from "../../api/peers";
import type { PeerInfo } from "../../api/types";
import { hasRole, useSession } from "../../app/session";
import { Empty, ErrorBox, failed, Page, undoable, useKeys } from "../../ui";
import { PeerCard } from "./PeerCard";
import { PeerDrawer } from "./PeerDrawer";
import { matches, peerOnly } from "./peerForm";
import classes from "./peers.module.css";

const AT_ONCE = 4;
const UNDO_S = 12;
/** From so many on a search field is worth its room. */
const MANY = 5;

export default function PeersPage() {
  const [parameters] = useSearchParams();
  const query = usePeers();
  const [text, setText] = useState("");
  const [edited, setEdited] = useState<PeerInfo | "new" | null>(null);
  const tests = useTests();
  const remove = useRemove();
  const session = useSession();
  const mayEdit = hasRole(session, "administrator");
  const peers = query.data ?? [];
  const shown = peers.filter((peer) => matches(peer, text));
  useKeys([
    { keys: "t", label: "Test all peers", run: () => void tests.run(shown), isHidden: !hasRole(session, "operator") },
    { keys: "n", label: "Add a peer", run: () => { if (mayEdit) setEdited("new"); }, isHidden: !mayEdit },
  ]);

  return (
    <Page
      title="Peers"
      subtitle="Other archives, scanners and workstations: what they may do here, and how we talk to them"
      actions={
        <>
          {peers.length >= MANY && (
            <TextInput
              aria-label="Search the peers"
              placeholder="Name, AE title, host"
              leftSection={<IconSearch size={16} />}
              data-page-search
              value={text}
              onChange={(event) => { setText(event.currentTarget.value); }}
            />
          )}
          {peers.length > 0 && hasRole(session, "operator") && (
            <Button variant="default" leftSection={<IconPlugConnected size={16} />} loading={tests.running.size > 1} onClick={() => void tests.run(shown)}>
              Test all
            </Button>
          )}
          {mayEdit && (
            <Button leftSection={<IconPlus size={16} />} onClick={() => { setEdited("new"); }}>
              Add peer
            </Button>
          )}
        </>
      }
    >
      {query.isError && <ErrorBox error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Waiting />}
      {query.isSuccess && peers.length === 0 && <NoPeers onAdd={mayEdit ? () => { setEdited("new"); } : undefined} />}
      {peers.length > 0 && shown.length === 0 && <Empty title="No peer is like that">Search for less.</Empty>}
      <div className={classes.cards}>
        {shown.map((peer) => (
          <PeerCard
            key={peer.name}
            peer={peer}
            isTesting={tests.running.has(peer.name)}
            isMarked={parameters.get("peer") === peer.name}
            onTest={() => void tests.run([peer])}
            onEdit={() => { setEdited(peer); }}
            onDelete={() => void remove(peer)}
          />
        ))}
      </div>
      <PeerDrawer edited={edited} others={peers} onClose={() => { setEdited(null); }} />
    </Page>
  );
}

/** Tests of several peers, a few at a time: one that does not answer takes its time. */
function useTests() {
  const test = useTestPeer();
  const [running, setRunning] = useState<ReadonlySet<string>>(new Set());
  async function one(name: string): Promise<void> {
    try {
      await test.mutateAsync(name);
    } catch (error) {
      failed(`${name} was not tested`, error);
    }
    setRunning((old) => new Set([...old].filter((each) => each !== name)));
  }
  async function run(peers: PeerInfo[]): Promise<void> {
    const names = peers.map((peer) => peer.name).filter((name) => !running.has(name));
    setRunning((old) => new Set([...old, ...names]));
    const worker = async (): Promise<void> => {
      for (let name = names.shift(); name !== undefined; name = names.shift()) await one(name);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }
  return { running, run };
}

/** Removes a peer at once; it can be put back as it was. */
function useRemove() {
  const remove = useDeletePeer();
  const save = useSavePeer();
  return async (peer: PeerInfo): Promise<void> => {
    try {
      await remove.mutateAsync(peer.name);
    } catch (error) {
      failed(`${peer.name} was not removed`, error);
      return;
    }
    undoable({
      message: `Peer ${peer.name} is removed.`,
      undo: () => save.mutateAsync({ peer: peerOnly(peer) }),
      seconds: UNDO_S,
      undone: `${peer.name} is back.`,
    });
  };
}

function Waiting() {
  return (
    <div className={classes.cards} aria-busy>
      {[1, 2, 3, 4].map((card) => <Skeleton key={card} h={150} />)}
    </div>
  );
}

function NoPeers({ onAdd }: { onAdd?: () => void }) {
  return (
    <Empty icon={<IconServer2 size={32} stroke={1.5} />} title="No peers yet">
      <p>
        A peer is another DICOM node: the PACS, a scanner, a workstation. Its AE title, host and port are all it takes; ours
        are on the <Anchor component={Link} to="/status">Status</Anchor> page, for those who run it.
      </p>
      {onAdd ? <Button leftSection={<IconPlus size={16} />} onClick={onAdd}>Add peer</Button> : "An administrator can add one."}
    </Empty>
  );
}
