/** Where OHIF shows a study; its data sources have the names of the databases. */
export function ohifPath(study: string, database: string): string {
  const source = database && database !== "default" ? `/${encodeURIComponent(database)}` : "";
  return `/ohif/viewer${source}?${new URLSearchParams({ StudyInstanceUIDs: study }).toString()}`;
}
