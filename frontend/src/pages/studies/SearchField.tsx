import { ActionIcon, Loader, Popover, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch, IconX } from "@tabler/icons-react";
import { useState, type KeyboardEvent } from "react";

import styles from "./studies.module.css";
import { EXAMPLES } from "./words";

interface SearchFieldProps {
  /** What is searched for now. */
  value: string;
  isBusy: boolean;
  onSearch: (q: string) => void;
  /** The arrow key leads into the list. */
  onLeave: () => void;
}

/** So long after the last key the search begins. */
const PAUSE_MS = 120;

export function SearchField({ value, isBusy, onSearch, onLeave }: SearchFieldProps) {
  const [typed, setTyped] = useState(value);
  const [sent, setSent] = useState(value);
  const [isFocused, setFocused] = useState(false);
  const pass = (text: string) => {
    setSent(text);
    onSearch(text);
  };
  const search = useDebouncedCallback(pass, PAUSE_MS);

  // A chip that was removed changes the search from outside; what the field itself asked for is in it already.
  if (value !== sent) {
    setSent(value);
    setTyped(value);
  }

  const change = (text: string) => {
    setTyped(text);
    search(text.trim());
  };
  const changeNow = (text: string) => {
    setTyped(text);
    search.cancel();
    pass(text.trim());
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape") {
      event.preventDefault();
      if (typed) changeNow("");
      else event.currentTarget.blur();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      if (event.key === "Enter") changeNow(typed);
      onLeave();
    }
  };

  return (
    <Popover opened={isFocused && !typed} position="bottom-start" width={540} trapFocus={false} returnFocus={false}>
      <Popover.Target>
        <TextInput
          className={styles.searchField}
          data-page-search
          role="searchbox"
          aria-label="Search studies"
          placeholder="Name, ID, accession number, date, modality …"
          value={typed}
          spellCheck={false}
          autoComplete="off"
          leftSection={isBusy ? <Loader size={14} /> : <IconSearch size={16} />}
          rightSection={
            typed ? (
              <ActionIcon aria-label="Clear the search (Esc)" onClick={() => { changeNow(""); }}>
                <IconX size={16} />
              </ActionIcon>
            ) : (
              <kbd className={styles.kbd}>/</kbd>
            )
          }
          onChange={(event) => { change(event.currentTarget.value); }}
          onKeyDown={onKeyDown}
          onFocus={() => { setFocused(true); }}
          onBlur={() => { setFocused(false); }}
        />
      </Popover.Target>
      <Popover.Dropdown>
        <Examples onPick={changeNow} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Examples({ onPick }: { onPick: (words: string) => void }) {
  return (
    <div className={styles.hints}>
      {EXAMPLES.map(({ words, finds }) => [
        <UnstyledButton
          key={words}
          className={styles.example}
          tabIndex={-1}
          // The field keeps the focus.
          onMouseDown={(event) => { event.preventDefault(); }}
          onClick={() => { onPick(words); }}
        >
          {words}
        </UnstyledButton>,
        <span key={`${words}?`} className={styles.quiet}>
          {finds}
        </span>,
      ])}
    </div>
  );
}
