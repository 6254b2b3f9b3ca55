import { Select, TextInput } from "@mantine/core";
import { useState } from "react";

import type { NewToken, Role } from "../../api/types";
import { useMakeToken } from "../../api/users";
import { useSession } from "../../app/session";
import { refusalOf } from "../../ui";
import { Dialog } from "./Dialog";
import { RolePicker } from "./RolePicker";
import { rolesUpTo } from "./roles";

const NEVER = "never";
const EXPIRY = [
  { value: "1", label: "One day" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "One year" },
  { value: NEVER, label: "Never" },
];

export function MakeToken({ onMade, onClose }: { onMade: (token: NewToken) => void; onClose: () => void }) {
  const session = useSession();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("reader");
  const [days, setDays] = useState("90");
  const make = useMakeToken();
  return (
    <Dialog
      title="New token"
      action="Make it"
      error={make.error}
      fields={["name", "role", "days"]}
      isBusy={make.isPending}
      isReady={name.trim() !== ""}
      onSubmit={() => {
        make.mutate({ name: name.trim(), role, days: days === NEVER ? null : Number(days) }, {
          onSuccess: (token) => {
            onMade(token);
            onClose();
          },
        });
      }}
      onClose={onClose}
    >
      <TextInput
        label="What is it for?"
        placeholder="OHIF viewer, nightly script"
        required
        data-autofocus
        value={name}
        error={refusalOf(make.error, "name")}
        onChange={(event) => { setName(event.currentTarget.value); }}
      />
      <RolePicker roles={rolesUpTo(session.role)} value={role} error={refusalOf(make.error, "role")} onChange={setRole} />
      <Select label="Ends after" data={EXPIRY} value={days} error={refusalOf(make.error, "days")} onChange={(value) => { setDays(value ?? NEVER); }} />
    </Dialog>
  );
}
