import { Badge, Button, CloseButton, Group, SegmentedControl, Skeleton } from "@mantine/core";
import { IconListCheck, IconRefresh } from "@tabler/icons-react";
import { useCallback, useMemo, useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router-dom";

import { useJobAction, useJobs, useJobTotals, type JobAction } from "../../api/jobs";
import type { Job, JobTotals } from "../../api/types";
import { useSession } from "../../app/session";
import { Empty, ErrorBox, formatCount, Page, useKeys } from "../../ui";
import { useClock } from "./clock";
import { JobDetail } from "./JobDetail";
import { JobList } from "./JobList";
import classes from "./jobs.module.css";
import { ListSelection } from "./selection";
import { countOf, GROUPS, groupOf, type Group as JobGroup, type GroupName } from "./words";

const NONE: Job[] = [];

export default function JobsPage() {
  const [parameters, setParameters] = useSearchParams();
  const group = groupOf(parameters.get("show"));
  const peer = parameters.get("peer") ?? undefined;
  const totals = useJobTotals().data;
  const open = useOpenJob();
  const query = useJobs({ states: group.states, ...(peer && { peer }) });
  const jobs = useMemo(() => query.data?.pages.flatMap((page) => page.jobs) ?? NONE, [query.data]);
  const [cursor, setCursor] = useState<number | null>(open.id);
  const [ticked, setTicked] = useState(new ListSelection());
  const selection = ticked.within(jobs.map((job) => job.id));
  const mayAct = useSession().role !== "reader";
  const now_s = useClock(jobs.some((job) => job.state === "running" || job.state === "waiting"));
  const { fetchNextPage } = query;
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);

  function show(name: string): void {
    setTicked(new ListSelection());
    setParameters((old) => with_(old, "show", name === "all" ? null : name));
  }
  useJobKeys(jobs, selection, open.id ?? cursor, mayAct, show, open.close);

  return (
    <Page
      fill
      title="Jobs"
      subtitle="Sends, retrievals, deletions: they go on when this page is closed and when Radfuse restarts"
      actions={mayAct && <BulkRetry group={group} jobs={jobs} selection={selection} totals={totals} />}
    >
      <div className={classes.page} data-split={open.id !== null || undefined}>
        <div className={classes.left}>
          <Group gap={8} className={classes.bar}>
            <Groups group={group} totals={totals} onPick={show} />
            {peer && (
              <Badge
                rightSection={
                  <CloseButton
                    size={16}
                    aria-label="All peers"
                    onClick={() => {
                      setParameters((old) => with_(old, "peer", null));
                    }}
                  />
                }
              >
                Peer {peer}
              </Badge>
            )}
          </Group>
          {query.isError && <ErrorBox error={query.error} onRetry={() => void query.refetch()} />}
          {query.isPending && <Waiting />}
          {query.isSuccess && jobs.length === 0 && (
            <Empty icon={<IconListCheck size={32} stroke={1.5} />} title={group.empty.title}>
              {group.empty.text}
            </Empty>
          )}
          {jobs.length > 0 && (
            <JobList
              jobs={jobs}
              now_s={now_s}
              openId={open.id}
              cursorId={cursor}
              isSelectable={mayAct && group.name === "failed"}
              selection={selection}
              hasMore={query.hasNextPage}
              isLoadingMore={query.isFetchingNextPage}
              onMore={more}
              onCursor={setCursor}
              onOpen={open.open}
              onSelection={setTicked}
            />
          )}
        </div>
        {open.id !== null && <JobDetail id={open.id} onClose={open.close} />}
      </div>
    </Page>
  );
}

/** Which job is open is the address; what is shown beside it stays. */
function useOpenJob() {
  const { id } = useParams();
  const navigate = useNavigate();
  const [parameters] = useSearchParams();
  const search = parameters.toString();
  const go = useCallback(
    (pathname: string) => void navigate({ pathname, search }, { replace: true }),
    [navigate, search],
  );
  const open = useCallback((job: number) => { go(`/jobs/${String(job)}`); }, [go]);
  const close = useCallback(() => { go("/jobs"); }, [go]);
  return { id: id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : null, open, close };
}

function with_(old: URLSearchParams, name: string, value: string | null): URLSearchParams {
  const changed = new URLSearchParams(old);
  if (value === null) changed.delete(name);
  else changed.set(name, value);
  return changed;
}

function Groups({ group, totals, onPick }: { group: JobGroup; totals?: JobTotals; onPick: (name: string) => void }) {
  return (
    <SegmentedControl
      value={group.name}
      onChange={onPick}
      aria-label="Which jobs"
      data={GROUPS.map((each) => ({ value: each.name, label: <Label group={each} count={countOf(each, totals)} /> }))}
    />
  );
}

function Label({ group, count }: { group: JobGroup; count: number | null }) {
  return (
    <span className={classes.tab}>
      {group.label}
      {count !== null && (
        <span className={classes.count} data-alarm={(group.name === "failed" && count > 0) || undefined}>
          {formatCount(count)}
        </span>
      )}
    </span>
  );
}

function Waiting() {
  return (
    <div className={classes.list} aria-busy>
      {[1, 2, 3, 4, 5, 6].map((row) => (
        <Skeleton key={row} h={36} my={8} />
      ))}
    </div>
  );
}

interface BulkProps {
  group: JobGroup;
  jobs: Job[];
  selection: ListSelection;
  totals?: JobTotals;
}

function BulkRetry({ group, jobs, selection, totals }: BulkProps) {
  const act = useJobAction();
  if (group.name !== "failed" || jobs.length === 0) return null;
  const chosen = selection.size > 0 ? jobs.filter((job) => selection.has(job.id)) : jobs;
  const ids = chosen.filter((job) => job.actions.includes("retry")).map((job) => job.id);
  // Of very many only those that are read are at hand.
  const all = totals && totals.failed > jobs.length ? "these" : "all";
  return (
    <Button
      leftSection={<IconRefresh size={16} />}
      disabled={ids.length === 0}
      loading={act.isPending}
      onClick={() => {
        act.mutate({ ids, action: "retry" });
      }}
    >
      {selection.size > 0 ? `Retry ${formatCount(ids.length)} chosen` : `Retry ${all} ${formatCount(ids.length)}`}
    </Button>
  );
}

/** r retries, c cancels, p pauses or resumes the job under the cursor, or all that are ticked; 1 to 5 pick a group. */
function useJobKeys(
  jobs: Job[],
  selection: ListSelection,
  at: number | null,
  mayAct: boolean,
  show: (name: GroupName) => void,
  close: () => void,
): void {
  const act = useJobAction();
  function run(...actions: JobAction[]): void {
    const chosen = jobs.filter((job) => (selection.size > 0 ? selection.has(job.id) : job.id === at));
    for (const action of actions) {
      const ids = chosen.filter((job) => job.actions.includes(action)).map((job) => job.id);
      if (mayAct && ids.length > 0) {
        act.mutate({ ids, action });
        return;
      }
    }
  }
  useKeys([
    { keys: "r", label: "Retry the job, or the chosen ones", run: () => { run("retry"); } },
    { keys: "p", label: "Pause or resume the job", run: () => { run("pause", "resume"); } },
    { keys: "c", label: "Cancel the job", run: () => { run("cancel"); } },
    { keys: "Escape", label: "Close the job", run: close },
    ...GROUPS.map((group, index) => ({
      keys: String(index + 1),
      label: `Show ${group.label.toLowerCase()} jobs`,
      run: () => { show(group.name); },
    })),
  ]);
}
