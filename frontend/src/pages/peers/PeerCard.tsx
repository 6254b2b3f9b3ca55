import { ActionIcon, Anchor, Button, Collapse, Menu, Tooltip } from "@mantine/core";
import {
  IconChevronDown,
  IconDots,
  IconListCheck,
  IconLock,
  IconPencil,
  IconPlugConnected,
  IconSearch,
  IconTrash,
} from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router-dom";

import { useLastTest, type DatedTest } from "../../api/peers";
import type { PeerInfo } from "../../api/types";
import { hasRole, useSession } from "../../app/session";
import { formatCounted, When } from "../../ui";
import { addressOf } from "./peerForm";
import classes from "./peers.module.css";
import { Rights } from "./Rights";
import { TestSteps } from "./TestSteps";

interface PeerCardProps {
  peer: PeerInfo;
  isTesting: boolean;
  isMarked: boolean;
  onTest: () => void;
  onEdit: () => void;
  onDelete: () => void;
}

/** One peer: who and where it is, whether it answers, what is allowed, what is under way. */
export function PeerCard({ peer, isTesting, isMarked, onTest, onEdit, onDelete }: PeerCardProps) {
  const test = useLastTest(peer.name);
  const session = useSession();
  return (
    <article className={classes.card} data-marked={isMarked || undefined} aria-label={`Peer ${peer.name}`}>
      <header className={classes.cardHead}>
        <Light test={test} isTesting={isTesting} />
        <h2 className={classes.name}>{peer.name}</h2>
        {peer.tls && (
          <Tooltip label={`TLS${peer.tls_name ? `, its certificate must say ${peer.tls_name}` : ""}`}>
            <IconLock size={15} className={classes.lock} aria-label="over TLS" />
          </Tooltip>
        )}
        <span className={classes.spring} />
        {hasRole(session, "operator") && (
          <Button size="compact-sm" variant="default" leftSection={<IconPlugConnected size={15} />} loading={isTesting} onClick={onTest}>
            Test
          </Button>
        )}
        <More peer={peer} onEdit={onEdit} onDelete={onDelete} />
      </header>
      <div className={classes.address}>{addressOf(peer)}</div>
      <Rights peer={peer} />
      <Work peer={peer} />
      {test && <Result test={test} />}
    </article>
  );
}

const LIGHTS = {
  testing: "Is being tested",
  unknown: "Not tested since this page was opened",
  good: "Answered the last test",
  bad: "Failed the last test",
};

function Light({ test, isTesting }: { test: DatedTest | null; isTesting: boolean }) {
  const state = isTesting ? "testing" : test === null ? "unknown" : test.is_ok ? "good" : "bad";
  return (
    <Tooltip label={LIGHTS[state]}>
      <span className={classes.light} data-state={state} role="img" aria-label={LIGHTS[state]} />
    </Tooltip>
  );
}

function More({ peer, onEdit, onDelete }: Pick<PeerCardProps, "peer" | "onEdit" | "onDelete">) {
  const session = useSession();
  const search = `?peer=${encodeURIComponent(peer.name)}`;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={`More about ${peer.name}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {hasRole(session, "administrator") && (
          <Menu.Item leftSection={<IconPencil size={16} />} onClick={onEdit}>
            Edit
          </Menu.Item>
        )}
        {peer.query && hasRole(session, "operator") && (
          <Menu.Item leftSection={<IconSearch size={16} />} component={Link} to={`/query${search}`}>
            Query it
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconListCheck size={16} />} component={Link} to={`/jobs${search}`}>
          Its jobs
        </Menu.Item>
        {hasRole(session, "administrator") && (
          <>
            <Menu.Divider />
            <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={onDelete}>
              Remove
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** The rules that send to it, and the jobs that are about it. */
function Work({ peer }: { peer: PeerInfo }) {
  const session = useSession();
  const jobs = `/jobs?peer=${encodeURIComponent(peer.name)}`;
  const rules = peer.rules.join(", ");
  return (
    <div className={classes.work}>
      <span className={classes.rules} title={rules && `Rules that send to it: ${rules}`}>
        {peer.rules.length === 0 && "No rule sends to it"}
        {peer.rules.length > 0 && (hasRole(session, "operator") ? <Anchor component={Link} to="/rules" size="sm">{ruleWords(peer)}</Anchor> : ruleWords(peer))}
      </span>
      {peer.jobs_unfinished > 0 && (
        <Anchor component={Link} to={jobs} size="sm">
          {formatCounted(peer.jobs_unfinished, "job")} under way
        </Anchor>
      )}
      {peer.jobs_failed > 0 && (
        <Anchor component={Link} to={`${jobs}&show=failed`} size="sm" className={classes.failed}>
          {formatCounted(peer.jobs_failed, "job")} failed
        </Anchor>
      )}
    </div>
  );
}

function ruleWords(peer: PeerInfo): string {
  const [first, ...more] = peer.rules;
  return more.length === 0 ? `Rule ${String(first)}` : formatCounted(peer.rules.length, "rule");
}

function Result({ test }: { test: DatedTest }) {
  // What went well needs no more than its line; what failed says at once what to do.
  const [isShown, setShown] = useState(!test.is_ok);
  const [shownFor, setShownFor] = useState(test);
  if (shownFor !== test) {
    setShownFor(test);
    setShown(!test.is_ok);
  }
  const failedStep = test.steps.find((step) => !step.is_ok);
  const words = test.is_ok ? `Answers${test.round_trip_ms === null ? "" : ` in ${roundTrip(test.round_trip_ms)}`}` : `Failed: ${failedStep?.name ?? "test"}`;
  return (
    <div className={classes.result}>
      <button type="button" className={classes.resultLine} aria-expanded={isShown} onClick={() => { setShown(!isShown); }}>
        <span className={test.is_ok ? classes.good : classes.failed}>{words}</span>
        <span className={classes.dim}><When seconds={test.at_s} /></span>
        <IconChevronDown size={15} className={classes.chevron} data-open={isShown || undefined} aria-hidden />
      </button>
      <Collapse expanded={isShown} transitionDuration={100}>
        <TestSteps test={test} />
      </Collapse>
    </div>
  );
}

function roundTrip(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms).toLocaleString()} ms`;
}
