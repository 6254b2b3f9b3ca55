import { useCallback, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router-dom";

import type { StudySort } from "../../api/studies";
import { hasRole, useSession } from "../../app/session";
import { ErrorBox, Page } from "../../ui";
import { workstationPath } from "../../workstation/path";
import { AnonymizeDialog } from "./anonymize/AnonymizeDialog";
import { EmptyArchive, NothingFound } from "./EmptyList";
import { SelectionBar } from "./SelectionBar";
import { SendDialog } from "./SendDialog";
import { StatusLine } from "./StatusLine";
import { StudyTable } from "./StudyTable";
import { TableSkeleton } from "./TableSkeleton";
import { Tools } from "./Tools";
import { chosenStudies, type Chosen } from "./chosen";
import { remember, remembered, type ColumnState } from "./columnState";
import { ExportMediaDialog } from "./media/ExportMediaDialog";
import { StudyPanel } from "./panel/StudyPanel";
import { changeSearch, useSearch } from "./searchState";
import { NOTHING_SELECTED, all, none, only, pruned, type Selected } from "./selection";
import styles from "./studies.module.css";
import { useDeletion } from "./useActions";
import { useOpenStudy } from "./useOpenStudy";
import { usePageKeys } from "./usePageKeys";
import { useStudies } from "./useStudies";

const search = (q: string) => { changeSearch({ q }); };

export default function StudiesPage() {
  const canChange = hasRole(useSession(), "operator");
  const wanted = useSearch();
  const { list, rows, isLoading, isSearching, error, retry } = useStudies(wanted);
  const { studies, isComplete } = rows;
  const [columnState, setColumnState] = useState<ColumnState>(remembered);
  const [sending, setSending] = useState<Chosen | null>(null);
  const [anonymizing, setAnonymizing] = useState<Chosen | null>(null);
  const [exporting, setExporting] = useState<Chosen | null>(null);
  const { remove, keep } = useDeletion();
  const [open, setOpen] = useOpenStudy();
  const [selected, setSelected] = useState<Selected>(() => ({ ...NOTHING_SELECTED, active: open, anchor: open }));
  const table = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();

  const known = useMemo(() => new Set(studies.map((study) => study.StudyInstanceUID)), [studies]);
  const current = isSearching ? selected : pruned(selected, known);
  const several = useMemo(
    () =>
      current.chosen.size > 0
        ? chosenStudies(studies.filter((study) => current.chosen.has(study.StudyInstanceUID)), wanted.database)
        : null,
    [studies, current.chosen, wanted.database],
  );
  const onView = useCallback((first: number, last: number) => { list?.show(first, last); }, [list]);
  const onMore = useCallback(() => { list?.loadMore(); }, [list]);
  const columns = useCallback((state: ColumnState) => {
    setColumnState(state);
    remember(state);
  }, []);
  const sort = useCallback(
    (by: StudySort) => {
      const isSame = wanted.sort === by;
      const first = by === "name" ? "asc" : "desc";
      changeSearch({ sort: by, order: isSame ? (wanted.order === "asc" ? "desc" : "asc") : first });
    },
    [wanted],
  );
  const select = useCallback(
    (next: Selected) => {
      setSelected(next);
      // The panel follows the keyboard while it is open.
      if (open && next.active && next.chosen.size === 1 && next.chosen.has(next.active)) setOpen(next.active);
    },
    [open, setOpen],
  );
  const removeChosen = () => {
    if (!several || !canChange) return;
    void remove(several);
    setSelected(none);
  };
  const enterTable = () => {
    table.current?.focus();
    const first = studies[0];
    if (first && !current.active) setSelected(only(first.StudyInstanceUID));
  };

  usePageKeys({
    isOpen: open !== null,
    onOpen: () => { if (current.active) setOpen(current.active); },
    onWorkstation: () => {
      const study = open ?? current.active;
      if (study) void navigate(workstationPath(study, wanted.database));
    },
    onClose: () => {
      setOpen(null);
      table.current?.focus();
    },
    onAll: () => { setSelected(all(current, [...known])); },
    onNone: () => { setSelected(none); },
    onSend: () => { if (canChange) setSending(several); },
    onExport: () => { if (canChange) setExporting(several); },
    onDelete: removeChosen,
  });

  const isEmpty = !isLoading && !isSearching && studies.length === 0 && error === null;
  return (
    <Page
      title="Studies"
      fill
      actions={
        <Tools
          search={wanted}
          isSearching={isSearching}
          columns={columnState}
          onColumns={columns}
          onLeave={enterTable}
        />
      }
    >
      <div className={styles.page}>
        <div className={styles.main}>
          {several && several.studies > 1 ? (
            <SelectionBar
              chosen={several}
              onSend={() => { setSending(several); }}
              onExport={() => { setExporting(several); }}
              onAnonymize={() => { setAnonymizing(several); }}
              onDelete={removeChosen}
              onClear={() => { setSelected(none); }}
            />
          ) : (
            <StatusLine
              search={wanted}
              understood={rows.understood}
              count={studies.length}
              isComplete={isComplete}
              onSearch={search}
            />
          )}
          {error !== null && <div className={styles.padded}><ErrorBox error={error} onRetry={retry} /></div>}
          {isLoading && error === null && <TableSkeleton />}
          {isEmpty && !wanted.q && <EmptyArchive />}
          {isEmpty && wanted.q && (
            <NothingFound q={wanted.q} understood={rows.understood} onClear={() => { search(""); }} />
          )}
          {studies.length > 0 && (
            <StudyTable
              studies={studies}
              isComplete={isComplete}
              error={rows.error}
              search={wanted}
              selected={current}
              open={open}
              columnState={columnState}
              tableRef={table}
              onSelect={select}
              onOpen={setOpen}
              onSort={sort}
              onColumns={columns}
              onView={onView}
              onMore={onMore}
            />
          )}
        </div>
        {open && (
          <StudyPanel
            study={open}
            database={wanted.database}
            onClose={() => { setOpen(null); }}
            onSend={setSending}
            onExport={setExporting}
            onAnonymize={setAnonymizing}
            onDelete={(chosen) => void remove(chosen)}
            onKeep={(job) => void keep(job)}
          />
        )}
      </div>
      <SendDialog chosen={sending} onClose={() => { setSending(null); }} />
      <ExportMediaDialog chosen={exporting} onClose={() => { setExporting(null); }} />
      <AnonymizeDialog chosen={anonymizing} onClose={() => { setAnonymizing(null); }} />
    </Page>
  );
}
