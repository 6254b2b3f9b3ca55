import { Collapse, MultiSelect, Select, Switch, TextInput, UnstyledButton } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";

import { useContextLists } from "../../api/peers";
import type { ContextList } from "../../api/types";
import { useSession } from "../../app/session";
import { ADVANCED, formOf, type NumberField } from "./peerForm";
import type { FieldsProps } from "./PeerDrawer";
import classes from "./peers.module.css";

/** What objects may be compressed to for a peer that takes nothing else. */
const LOSSY = [
  { value: "", label: "Never with loss" },
  { value: "1.2.840.10008.1.2.4.50", label: "JPEG Baseline (8 bit)" },
  { value: "1.2.840.10008.1.2.4.51", label: "JPEG Extended (12 bit)" },
  { value: "1.2.840.10008.1.2.4.91", label: "JPEG 2000" },
];

/** How many of the folded fields are other than for a new peer. */
export function changedCount(form: FieldsProps["form"]): number {
  const usual = formOf(null);
  return ADVANCED.filter((field) => JSON.stringify(form[field]) !== JSON.stringify(usual[field])).length;
}

interface AdvancedProps extends FieldsProps {
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
}

export function AdvancedFields({ isOpen, onOpen, ...fields }: AdvancedProps) {
  const changed = changedCount(fields.form);
  return (
    <section>
      <UnstyledButton
        className={classes.fold}
        aria-expanded={isOpen}
        onClick={() => {
          onOpen(!isOpen);
        }}
      >
        <IconChevronRight size={16} className={classes.chevronRight} data-open={isOpen || undefined} aria-hidden />
        Advanced
        {changed > 0 && <span className={classes.dim}>{changed} changed</span>}
      </UnstyledButton>
      <Collapse expanded={isOpen} transitionDuration={100}>
        <div className={classes.advanced}>
          <Proposals {...fields} />
          <Sending {...fields} />
          <Patience {...fields} />
        </div>
      </Collapse>
    </section>
  );
}

function NumberInput({ form, faults, set, field, label, usual, unit }: FieldsProps & { field: NumberField; label: string; usual: string; unit?: string }) {
  return (
    <TextInput
      label={label}
      inputMode="decimal"
      value={form[field]}
      error={faults[field]}
      placeholder={usual}
      rightSection={unit && <span className={classes.unit}>{unit}</span>}
      rightSectionWidth={unit && unit.length > 2 ? 48 : 30}
      onChange={(event) => {
        set({ [field]: event.currentTarget.value });
      }}
    />
  );
}

/** Who we are to it, and what we propose. */
function Proposals({ form, faults, set }: FieldsProps) {
  const session = useSession();
  const lists = useContextLists().data ?? [];
  const chosen = lists.find((list) => list.name === form.context_list);
  return (
    <>
      <div className={classes.pair}>
        <TextInput
          label="Our AE title to it"
          description="Empty: the one this node has"
          placeholder={form.context_list === "xd" ? "RADFUSE_SCU" : session.ae_title}
          maxLength={16}
          value={form.calling_ae_title}
          error={faults.calling_ae_title}
          onChange={(event) => {
            set({ calling_ae_title: event.currentTarget.value });
          }}
        />
        <Select
          label="What we propose to it"
          description={chosen ? listWords(chosen) : "A list of presentation contexts"}
          data={names(lists, form.context_list)}
          value={form.context_list}
          error={faults.context_list}
          onChange={(name) => {
            if (name) set({ context_list: name, preferred_syntaxes: [] });
          }}
        />
      </div>
      <MultiSelect
        label="Transfer syntaxes it shall have first"
        description="When it accepts several; the first chosen comes first"
        data={(chosen?.transfer_syntaxes ?? []).map(({ uid, name }) => ({ value: uid, label: name }))}
        value={form.preferred_syntaxes}
        error={faults.preferred_syntaxes}
        placeholder={form.preferred_syntaxes.length === 0 ? "As the object is stored" : undefined}
        clearable
        searchable
        onChange={(preferred_syntaxes) => {
          set({ preferred_syntaxes });
        }}
      />
    </>
  );
}

function names(lists: ContextList[], current: string): string[] {
  return [...new Set([...lists.map((list) => list.name), current])];
}

function listWords(list: ContextList): string {
  return `${String(list.sop_classes.length)} SOP classes in ${String(list.transfer_syntaxes.length)} transfer syntaxes`;
}

/** How sends go, and when they are tried again. */
function Sending(fields: FieldsProps) {
  const { form, faults, set } = fields;
  return (
    <>
      <Select
        label="If it takes no lossless form of an image"
        data={LOSSY}
        value={form.lossy_syntax}
        error={faults.lossy_syntax}
        onChange={(uid) => {
          set({ lossy_syntax: uid ?? "" });
        }}
      />
      <Switch
        label="Take 0111H and every Bxxx for a warning"
        description="Else a duplicate, and warnings the standard does not know, are failures"
        checked={form.lenient_statuses}
        onChange={(event) => {
          set({ lenient_statuses: event.currentTarget.checked });
        }}
      />
      <div className={classes.triple}>
        <NumberInput {...fields} field="retries" label="Retries" usual={form.context_list === "xd" ? "0" : "5"} />
        <NumberInput {...fields} field="retry_delay_s" label="First after" usual="60" unit="s" />
        <NumberInput {...fields} field="concurrency" label="Jobs at once" usual="1" />
      </div>
    </>
  );
}

/** How long we wait for it, and how long its PDUs may be. */
function Patience(fields: FieldsProps) {
  return (
    <div className={classes.pair}>
      <NumberInput {...fields} field="connect_s" label="Connecting takes at most" usual="as the node" unit="s" />
      <NumberInput {...fields} field="response_s" label="An answer takes at most" usual="as the node" unit="s" />
      <NumberInput {...fields} field="artim_s" label="Association timer (ARTIM)" usual="as the node" unit="s" />
      <NumberInput {...fields} field="max_pdu_bytes" label="Longest PDU" usual="as the node" unit="bytes" />
    </div>
  );
}
