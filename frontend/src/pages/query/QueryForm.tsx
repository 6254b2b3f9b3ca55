import { Button, Select, TextInput } from "@mantine/core";
import { IconPlayerStop, IconSearch, IconX } from "@tabler/icons-react";
import type { FormEvent, KeyboardEvent } from "react";

import type { PeerInfo } from "../../api/types";
import { EMPTY_FORM, faultOf, PERIODS, periodOf, periodWith, type Form, type Period } from "./form";
import classes from "./query.module.css";

const MODALITIES = [
  { group: "Often", items: ["CT", "MR", "PT", "NM", "US", "CR", "DX", "MG"] },
  { group: "Others", items: ["XA", "RF", "OT", "SC", "SR", "SEG", "REG", "RTSTRUCT", "RTPLAN", "RTDOSE", "KO", "PR"] },
];

export interface QueryFormProps {
  peers: PeerInfo[];
  peer: string;
  form: Form;
  isAsking: boolean;
  onPeer: (name: string) => void;
  onForm: (form: Form) => void;
  onAsk: () => void;
  onStop: () => void;
}

/** Whom to ask, and for what. Enter in any field searches, Esc empties the form. */
export function QueryForm(props: QueryFormProps) {
  const { peers, peer, form, isAsking, onForm, onAsk, onStop } = props;
  const fault = faultOf(form);
  const isEmpty = Object.values(form).every((value) => value === "");

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (isAsking) onStop();
    else if (fault === null && peer) onAsk();
  }

  function onKeyDown(event: KeyboardEvent): void {
    // An open list takes Esc for itself.
    if (event.key !== "Escape" || event.defaultPrevented || isEmpty) return;
    event.stopPropagation();
    onForm(EMPTY_FORM);
  }

  const text = (field: "name" | "id" | "accession" | "description", label: string, placeholder?: string) => (
    <TextInput
            label={label}
      placeholder={placeholder}
      value={form[field]}
      error={fault?.field === field && fault.text}
      data-page-search={field === "name" || undefined}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => {
        onForm({ ...form, [field]: event.currentTarget.value });
      }}
    />
  );

  return (
    <form className={classes.form} onSubmit={submit} onKeyDown={onKeyDown} role="search" aria-label="Search a peer">
      <PeerPick peers={peers} peer={peer} onPeer={props.onPeer} />
      {text("name", "Patient name", "Family, given")}
      {text("id", "Patient ID")}
      {text("accession", "Accession number")}
      {text("description", "Study description")}
      <Select
                label="Modality"
        placeholder="Any"
        data={MODALITIES}
        value={form.modality || null}
        searchable
        clearable
        onChange={(modality) => {
          onForm({ ...form, modality: modality ?? "" });
        }}
      />
      <Dates form={form} fault={fault?.field === "to" ? fault.text : ""} onForm={onForm} />
      <div className={classes.buttons}>
        {isAsking ? (
          <Button type="submit" color="red" variant="light" leftSection={<IconPlayerStop size={16} />}>
            Stop
          </Button>
        ) : (
          <Button type="submit" leftSection={<IconSearch size={16} />} disabled={!peer || fault !== null}>
            Search
          </Button>
        )}
        <Button
                    variant="subtle"
          color="gray"
          leftSection={<IconX size={16} />}
          disabled={isEmpty}
          onClick={() => {
            onForm(EMPTY_FORM);
          }}
        >
          Clear
        </Button>
      </div>
    </form>
  );
}

function PeerPick({ peers, peer, onPeer }: Pick<QueryFormProps, "peers" | "peer" | "onPeer">) {
  const chosen = peers.find((each) => each.name === peer);
  return (
    <Select
            label="Peer"
      className={classes.peer}
      data={peers.map((each) => each.name)}
      value={chosen?.name ?? null}
      placeholder="Pick a peer"
      allowDeselect={false}
      searchable={peers.length > 8}
      renderOption={({ option }) => {
        const shown = peers.find((each) => each.name === option.value);
        return (
          <div>
            <div>{option.label}</div>
            <div className={classes.address}>{shown && `${shown.ae_title}@${shown.host}:${String(shown.port)}`}</div>
          </div>
        );
      }}
      onChange={(name) => {
        if (name) onPeer(name);
      }}
    />
  );
}

function Dates({ form, fault, onForm }: { form: Form; fault: string; onForm: (form: Form) => void }) {
  const day = (field: "from" | "to", label: string) => (
    <TextInput
            type="date"
      label={label}
      value={form[field]}
      error={field === "to" && fault}
      onChange={(event) => {
        onForm({ ...form, [field]: event.currentTarget.value });
      }}
    />
  );
  return (
    <div className={classes.dates}>
      <Select
                label="Study date"
        data={[...PERIODS]}
        value={periodWith(form)}
        placeholder="These days"
        allowDeselect={false}
        onChange={(period) => {
          if (period) onForm({ ...form, ...periodOf(period as Period) });
        }}
      />
      {day("from", "From")}
      {day("to", "To")}
    </div>
  );
}
