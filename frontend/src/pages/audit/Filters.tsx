import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconX } from "@tabler/icons-react";
import { useState } from "react";

import { useUsers } from "../../api/users";
import classes from "./audit.module.css";
import { OUTCOMES, type FilterText } from "./filter";
import { outcomeWord } from "./sentences";

interface Props {
  filter: FilterText;
  actions: string[];
  onChange: (filter: FilterText) => void;
}

const TYPING_MS = 300;
const NOTHING: FilterText = { user: "", action: "", outcome: "", study: "", from: "", to: "" };

export function Filters({ filter, actions, onChange }: Props) {
  const users = useUsers().data ?? [];
  const [study, setStudy] = useState(filter.study);
  const set = (part: Partial<FilterText>): void => { onChange({ ...filter, ...part }); };
  const later = useDebouncedCallback((value: string) => { set({ study: value.trim() }); }, TYPING_MS);
  const isFiltered = Object.values(filter).some((value) => value !== "");
  const names = [...new Set([...users.map((user) => user.name), ...(filter.user === "" ? [] : [filter.user])])];
  return (
    <div className={classes.filters} role="search" aria-label="Filter the access log">
      <Select
        w={168} placeholder="Anybody" aria-label="User" clearable searchable
        data={names} value={filter.user || null} onChange={(user) => { set({ user: user ?? "" }); }}
      />
      <Select
        w={200} placeholder="Any action" aria-label="Action" clearable searchable
        data={actions} value={filter.action || null} onChange={(action) => { set({ action: action ?? "" }); }}
      />
      <Select
        w={136} placeholder="Any outcome" aria-label="Outcome" clearable
        data={OUTCOMES.map((value) => ({ value, label: outcomeWord(value) }))}
        value={filter.outcome || null} onChange={(outcome) => { set({ outcome: outcome ?? "" }); }}
      />
      <div className={classes.days}>
        <TextInput type="date" w={144} aria-label="From this day on" value={filter.from} max={filter.to} onChange={(event) => { set({ from: event.currentTarget.value }); }} />
        <span>to</span>
        <TextInput type="date" w={144} aria-label="Up to this day" value={filter.to} min={filter.from} onChange={(event) => { set({ to: event.currentTarget.value }); }} />
      </div>
      <TextInput
        data-page-search
        w={208} placeholder="Study Instance UID" aria-label="Study Instance UID" value={study} autoComplete="off" spellCheck={false}
        onChange={(event) => {
          setStudy(event.currentTarget.value);
          later(event.currentTarget.value);
        }}
      />
      {isFiltered && (
        <Button
          variant="subtle" leftSection={<IconX size={14} />}
          onClick={() => {
            setStudy("");
            onChange(NOTHING);
          }}
        >
          Show all
        </Button>
      )}
    </div>
  );
}
