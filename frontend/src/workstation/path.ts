/** The address of the workstation: what other pages need to know of it. */

/** Where a saved session is opened, by its Key Object Selection. */
export function sessionPath(study: string, database: string, session: string): string {
  const query = new URLSearchParams({ study, session });
  if (database) query.set("database", database);
  return `/workstation/new?${query.toString()}`;
}

/** Where the workstation opens a study, or series of it. */
export function workstationPath(study: string, database: string, series: readonly string[] = [], isFresh = false): string {
  const query = new URLSearchParams({ study });
  for (const each of series) query.append("series", each);
  if (database) query.set("database", database);
  if (isFresh) query.set("fresh", "1");
  return `/workstation/new?${query.toString()}`;
}
