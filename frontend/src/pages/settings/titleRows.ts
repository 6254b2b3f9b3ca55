/** The map AE title -> database as rows that can be edited. */
export interface TitleRow {
  id: number;
  title: string;
  database: string;
  isNew: boolean;
}

export function rowsOf(map: Record<string, string>): TitleRow[] {
  return Object.entries(map).map(([title, database], id) => ({ id, title, database, isNew: false }));
}

/** Rows that are filled; of two with one title the later one. */
export function mapOf(rows: TitleRow[]): Record<string, string> {
  return Object.fromEntries(rows.filter((row) => row.title.trim() !== "" && row.database.trim() !== "").map((row) => [row.title.trim(), row.database.trim()]));
}
