import { Checkbox, Fieldset, Switch, TextInput } from "@mantine/core";
import type { ClipboardEvent } from "react";

import type { FieldsProps } from "./PeerDrawer";
import { parseAddress, RIGHTS, USES } from "./peerForm";
import classes from "./peers.module.css";
import { RIGHT_WORDS, USE_WORDS } from "./Rights";

type TextField = "name" | "ae_title" | "host" | "port" | "tls_name";

/** Who it is, where it is, what is allowed. */
export function PeerFields({ form, faults, set, isNew }: FieldsProps & { isNew: boolean }) {
  /** "PACS@10.0.0.5:104" pasted into any of the three fields fills all of them. */
  function onPaste(event: ClipboardEvent): void {
    const address = parseAddress(event.clipboardData.getData("text"));
    if (!address) return;
    event.preventDefault();
    set({ ...address, ...(isNew && !form.name && { name: address.ae_title }) });
  }

  const text = (field: TextField, label: string, more: Partial<React.ComponentProps<typeof TextInput>> = {}) => (
    <TextInput
      label={label}
      value={form[field]}
      error={faults[field]}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => {
        set({ [field]: event.currentTarget.value });
      }}
      {...more}
    />
  );

  return (
    <>
      <div className={classes.pair}>
        {text("name", "Name", {
          "data-autofocus": isNew || undefined,
          description: "How we call it: letters, digits, . _ -",
        } as Partial<React.ComponentProps<typeof TextInput>>)}
        {text("ae_title", "AE title", {
          maxLength: 16,
          onPaste,
          description: "As it calls itself, capitals count",
          onBlur: () => {
            if (isNew && !form.name) set({ name: form.ae_title.trim().replaceAll(/[^A-Za-z0-9_.-]/g, "-") });
          },
        })}
      </div>
      <div className={classes.hostPort}>
        {text("host", "Host name or address", { onPaste, placeholder: "pacs.example.org" })}
        {text("port", "Port", { inputMode: "numeric", placeholder: form.tls ? "2762" : "104" })}
      </div>
      <div className={classes.pair}>
        <Switch
          label="Talk over TLS"
          checked={form.tls}
          onChange={(event) => {
            set({ tls: event.currentTarget.checked });
          }}
        />
        {form.tls && text("tls_name", "Name in its certificate", { placeholder: form.host || "as the host" })}
      </div>
      <div className={classes.pair}>
        <Fieldset legend="It may, here" className={classes.fieldset}>
          {RIGHTS.map((right) => (
            <Checkbox
              key={right}
              label={RIGHT_WORDS[right].short}
              checked={form[right]}
              onChange={(event) => {
                set({ [right]: event.currentTarget.checked });
              }}
            />
          ))}
        </Fieldset>
        <Fieldset legend="We do" className={classes.fieldset}>
          {USES.map((use) => (
            <Checkbox
              key={use}
              label={USE_WORDS[use].short}
              checked={form[use]}
              onChange={(event) => {
                set({ [use]: event.currentTarget.checked });
              }}
            />
          ))}
        </Fieldset>
      </div>
    </>
  );
}
