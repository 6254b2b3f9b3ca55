import { Anchor, Button, Group, Loader } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconDatabaseSearch, IconDownload, IconPlugConnectedX, IconZoomExclamation } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router-dom";

import { usePeers } from "../../api/peers";
import type { PeerInfo } from "../../api/types";
import { hasRole, useSession } from "../../app/session";
import { Empty, ErrorBox, failed, formatCounted, formatDuration, Page, useKeys } from "../../ui";
import { LIMIT, type Chosen } from "./form";
import classes from "./query.module.css";
import { QueryForm } from "./QueryForm";
import { Results } from "./Results";
import { usePeerSearch, type Search } from "./search";

const NOTHING: ReadonlyMap<string, Chosen> = new Map();

export default function QueryPage() {
  const peers = usePeers();
  const askable = peers.data?.filter((peer) => peer.query) ?? [];
  return (
    <Page fill title="Query" subtitle="Search what a peer has, and retrieve it into this archive">
      {peers.isError && <div className={classes.fault}><ErrorBox error={peers.error} onRetry={() => void peers.refetch()} /></div>}
      {peers.isSuccess && askable.length === 0 && <NoPeers hasAny={peers.data.length > 0} />}
      {askable.length > 0 && <Asking peers={askable} />}
    </Page>
  );
}

function Asking({ peers }: { peers: PeerInfo[] }) {
  const { search, change, ask, stop, retrieve } = usePeerSearch();
  // The name of a peer is no patient's: it may be remembered.
  const [last, setLast] = useLocalStorage({ key: "radfuse.query.peer", defaultValue: "", getInitialValueInEffect: false });
  const [chosen, setChosen] = useState(NOTHING);
  const session = useSession();
  usePeerOfAddress((name) => {
    change({ peer: name });
  });
  const peer = peers.find((each) => each.name === (search.peer || last)) ?? peers[0];
  const asked = peers.find((each) => each.name === search.asked);
  const mayRetrieve = hasRole(session, "operator") && asked?.retrieve === true;

  async function get(wanted: Chosen[]): Promise<void> {
    try {
      await retrieve(search.asked, wanted);
      setChosen(NOTHING);
    } catch (error) {
      failed("Nothing was retrieved", error);
    }
  }
  useKeys([
    { keys: "shift+r", label: "Retrieve what is chosen", run: () => void get([...chosen.values()]), isHidden: chosen.size === 0 },
  ]);

  return (
    <div className={classes.page}>
      <QueryForm
        peers={peers}
        peer={peer?.name ?? ""}
        form={search.form}
        isAsking={search.phase === "asking"}
        onPeer={(name) => {
          setLast(name);
          change({ peer: name });
        }}
        onForm={(form) => {
          change({ form });
        }}
        onAsk={() => {
          setChosen(NOTHING);
          if (peer) ask(peer.name, search.form);
        }}
        onStop={stop}
      />
      {(search.answers.length > 0 || search.phase === "asking") && (
        <Group className={classes.status} justify="space-between" gap={12}>
          <Told search={search} />
          {mayRetrieve && (
            <Button
              leftSection={<IconDownload size={16} />}
              disabled={chosen.size === 0}
              onClick={() => void get([...chosen.values()])}
            >
              {chosen.size === 0 ? "Retrieve" : `Retrieve ${chosenWords(chosen)}`}
            </Button>
          )}
          {asked && !asked.retrieve && (
            <span className={classes.dim}>
              Nothing is retrieved from {asked.name}: <Anchor component={Link} to="/peers" size="sm">allow it</Anchor>
            </span>
          )}
        </Group>
      )}
      <Answers
        search={search}
        mayRetrieve={mayRetrieve}
        chosen={chosen}
        onChosen={setChosen}
        onRetrieve={(wanted) => void get(wanted)}
        onRetry={() => {
          ask(search.asked, search.form);
        }}
      />
    </div>
  );
}

/** "/query?peer=PACS1", from the Peers page: once, then it is the reader's choice. */
function usePeerOfAddress(pick: (name: string) => void): void {
  const [parameters, setParameters] = useSearchParams();
  const wanted = parameters.get("peer");
  useEffect(() => {
    if (wanted === null) return;
    pick(wanted);
    setParameters({}, { replace: true });
  }, [wanted, pick, setParameters]);
}

interface AnswersProps {
  search: Search;
  mayRetrieve: boolean;
  chosen: ReadonlyMap<string, Chosen>;
  onChosen: (chosen: ReadonlyMap<string, Chosen>) => void;
  onRetrieve: (chosen: Chosen[]) => void;
  onRetry: () => void;
}

function Answers({ onRetry, ...props }: AnswersProps) {
  const { search } = props;
  const isEmpty = search.answers.length === 0;
  return (
    <>
      {search.error && <div className={classes.fault}><ErrorBox error={search.error} onRetry={onRetry} /></div>}
      {search.phase === "idle" && (
        <Empty icon={<IconDatabaseSearch size={32} stroke={1.5} />} title="Search a peer">
          Fill in what is known and press Enter. Names match from their beginning: “doe, ja” finds DOE, Jane. * and ? stand
          for any letters.
        </Empty>
      )}
      {search.phase === "done" && isEmpty && (
        <Empty icon={<IconZoomExclamation size={32} stroke={1.5} />} title={`${search.asked} has nothing like that`}>
          Try fewer fields, the beginning of the name only, or more days. Some peers tell capitals from small letters.
        </Empty>
      )}
      {!isEmpty && <Results key={search.started_ms} {...props} />}
    </>
  );
}

/** How it goes, for eyes and ears. */
function Told({ search }: { search: Search }) {
  const found = formatCounted(search.answers.length, "study", "studies");
  return (
    <div role="status" className={classes.told}>
      {search.phase === "asking" && <Loader size={14} />}
      {search.phase === "asking" && `${search.asked} is answering: ${found} so far`}
      {search.phase === "stopped" && `Stopped: ${found} of ${search.asked} until then`}
      {search.phase === "failed" && `${search.asked}: ${found} before it failed`}
      {search.phase === "done" && !search.isLimited && `${found} at ${search.asked}, in ${formatDuration(search.took_ms / 1000)}`}
      {search.phase === "done" && search.isLimited && (
        <span className={classes.limited}>
          The first {LIMIT} studies of {search.asked}: there are more. Narrow the search to see them.
        </span>
      )}
    </div>
  );
}

function chosenWords(chosen: ReadonlyMap<string, Chosen>): string {
  const studies = [...chosen.values()].filter((one) => one.series === undefined).length;
  const series = chosen.size - studies;
  return [
    studies > 0 ? formatCounted(studies, "study", "studies") : "",
    series > 0 ? `${String(series)} series` : "",
  ].filter(Boolean).join(" and ");
}

function NoPeers({ hasAny }: { hasAny: boolean }) {
  const mayAdd = hasRole(useSession(), "administrator");
  return (
    <Empty icon={<IconPlugConnectedX size={32} stroke={1.5} />} title="There is no peer to query">
      {hasAny ? "None of the peers may be queried: allow it on the Peers page. " : "A peer is another archive or a workstation. "}
      {mayAdd ? (
        <Anchor component={Link} to="/peers">{hasAny ? "Peers" : "Add a peer"}</Anchor>
      ) : (
        "An administrator can change that."
      )}
    </Empty>
  );
}
