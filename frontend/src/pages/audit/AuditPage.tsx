import { Button, Skeleton, Stack } from "@mantine/core";
import { IconDownload, IconHistory, IconRefresh } from "@tabler/icons-react";
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router-dom";

import { entriesOf, useAudit } from "../../api/admin";
import type { AuditEntry } from "../../api/types";
import { Empty, ErrorBox, formatCounted, Page } from "../../ui";
import classes from "./audit.module.css";
import { csvOf, saveText } from "./csv";
import { EntryList } from "./EntryList";
import { filterOf, filterText, parametersOf } from "./filter";
import { Filters } from "./Filters";
import { actionChoices, sentence } from "./sentences";

/** Who did what: the access log. */
export default function AuditPage() {
  const [parameters, setParameters] = useSearchParams();
  const filter = filterText(parameters);
  const log = useAudit(filterOf(filter));
  const entries = useMemo(() => entriesOf(log.data?.pages), [log.data]);
  const { fetchNextPage } = log;
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);

  return (
    <Page
      title="Access log"
      subtitle="Who did what; the newest first"
      fill
      actions={
        <>
          <Button variant="default" leftSection={<IconRefresh size={16} />} loading={log.isRefetching} onClick={() => void log.refetch()}>
            Refresh
          </Button>
          <Button variant="default" leftSection={<IconDownload size={16} />} disabled={entries.length === 0} onClick={() => { save(entries); }}>
            Save {formatCounted(entries.length, "line")} as CSV
          </Button>
        </>
      }
    >
      <div className={classes.page}>
        <Filters filter={filter} actions={actionChoices(entries)} onChange={(next) => { setParameters(parametersOf(next), { replace: true }); }} />
        {log.error !== null && <Stack p="lg"><ErrorBox error={log.error} onRetry={() => void log.refetch()} /></Stack>}
        {log.isPending && <Stack p="lg" gap="sm">{[1, 2, 3, 4, 5, 6].map((each) => <Skeleton key={each} h={24} />)}</Stack>}
        {log.isSuccess && entries.length === 0 && (
          <Empty icon={<IconHistory size={40} stroke={1.4} />} title="Nothing of that kind is in the log">
            {parameters.size > 0 ? "Take a filter away, or choose more days." : "Logins, searches, views and changes will stand here."}
          </Empty>
        )}
        {entries.length > 0 && <EntryList entries={entries} hasMore={log.hasNextPage} isFetching={log.isFetchingNextPage} onMore={more} />}
      </div>
    </Page>
  );
}

function save(entries: AuditEntry[]): void {
  const instant = (seconds: number): string => new Date(seconds * 1000).toISOString();
  const header = ["first", "last", "count", "user", "address", "action", "what", "outcome", "study", "subject", "request"];
  const rows = entries.map((entry) => [
    instant(entry.time_s), instant(entry.last_s), entry.count, entry.user, entry.address,
    entry.action, sentence(entry), entry.outcome, entry.study, entry.subject, entry.request,
  ]); // prettier-ignore
  saveText(`radfuse-access-log-${instant(Date.now() / 1000).slice(0, 10)}.csv`, "text/csv", csvOf(header, rows));
}
