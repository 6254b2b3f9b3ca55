import { Tooltip } from "@mantine/core";
import { IconArchive, IconDownload, IconSearch, IconSend, IconShieldCheck, type Icon } from "@tabler/icons-react";

import type { Peer } from "../../api/types";
import { RIGHTS, USES, type Right, type Use } from "./peerForm";
import classes from "./peers.module.css";

interface Word {
  icon: Icon;
  short: string;
  yes: string;
  no: string;
}

export const RIGHT_WORDS: Record<Right, Word> = {
  may_store: { icon: IconArchive, short: "Store", yes: "It may store here", no: "It may not store here" },
  may_query: { icon: IconSearch, short: "Query", yes: "It may query this node", no: "It may not query this node" },
  may_retrieve: { icon: IconDownload, short: "Retrieve", yes: "It may retrieve from here", no: "It may not retrieve from here" },
  may_commit: {
    icon: IconShieldCheck,
    short: "Ask for commitment",
    yes: "It may ask for storage commitment",
    no: "It may not ask for storage commitment",
  },
};

export const USE_WORDS: Record<Use, Word> = {
  send: { icon: IconSend, short: "Send to it", yes: "We send to it", no: "We do not send to it" },
  query: { icon: IconSearch, short: "Query it", yes: "We query it", no: "We do not query it" },
  retrieve: { icon: IconDownload, short: "Retrieve from it", yes: "We retrieve from it", no: "We do not retrieve from it" },
  commit: {
    icon: IconShieldCheck,
    short: "Ask for commitment",
    yes: "We ask it for storage commitment",
    no: "We do not ask it for storage commitment",
  },
};

/** Rights as small signs, with their words on hover and for screen readers. */
export function Rights({ peer }: { peer: Peer }) {
  return (
    <div className={classes.rights}>
      <span className={classes.rightsLabel}>It may</span>
      {RIGHTS.map((right) => <Sign key={right} word={RIGHT_WORDS[right]} isOn={peer[right]} />)}
      <span className={classes.rightsLabel}>We</span>
      {USES.map((use) => <Sign key={use} word={USE_WORDS[use]} isOn={peer[use]} />)}
    </div>
  );
}

function Sign({ word, isOn }: { word: Word; isOn: boolean }) {
  const text = isOn ? word.yes : word.no;
  const SignIcon = word.icon;
  return (
    <Tooltip label={text} openDelay={200}>
      <span className={classes.sign} data-off={!isOn || undefined} role="img" aria-label={text}>
        <SignIcon size={16} stroke={1.8} />
      </span>
    </Tooltip>
  );
}
