/** What a job of media left behind: files to download, or the report of an import. */
import { isOver, useMediaExport, useMediaImport } from "../../../api/media";
import type { Job } from "../../../api/types";
import { Files } from "./ExportProgress";
import { ReportOfImport } from "./ImportReport";

export function MediaOfJob({ job }: { job: Job }) {
  if (!isOver(job)) return null;
  return job.kind === "import media" ? <Imported job={job.id} /> : <Exported job={job.id} />;
}

function Exported({ job }: { job: number }) {
  const { data } = useMediaExport(job);
  return data ? <Files of={data} /> : null;
}

function Imported({ job }: { job: number }) {
  const { data } = useMediaImport(job);
  return data?.report ? <ReportOfImport report={data.report} /> : null;
}
