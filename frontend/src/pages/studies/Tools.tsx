import { Select } from "@mantine/core";

import type { StudySearch } from "../../api/studies";
import { hasRole, useSession } from "../../app/session";
import { UploadButton } from "../../uploads/UploadButton";
import { ColumnMenu } from "./ColumnMenu";
import { SearchField } from "./SearchField";
import type { ColumnState } from "./columnState";
import { changeSearch } from "./searchState";
import styles from "./studies.module.css";

interface ToolsProps {
  search: StudySearch;
  isSearching: boolean;
  columns: ColumnState;
  onColumns: (state: ColumnState) => void;
  /** From the field into the list. */
  onLeave: () => void;
}

/** The search field and what stands beside it. */
export function Tools({ search, isSearching, columns, onColumns, onLeave }: ToolsProps) {
  const session = useSession();
  const [first = ""] = session.databases;
  return (
    <div className={styles.tools}>
      <SearchField
        value={search.q}
        isBusy={isSearching}
        onSearch={(q) => { changeSearch({ q }); }}
        onLeave={onLeave}
      />
      {session.databases.length > 1 && (
        <Select
          aria-label="Database"
          w={140}
          data={session.databases}
          value={search.database || first}
          onChange={(database) => { changeSearch({ database: database ?? "" }); }}
        />
      )}
      <ColumnMenu state={columns} onChange={onColumns} />
      {hasRole(session, "operator") && <UploadButton />}
    </div>
  );
}
