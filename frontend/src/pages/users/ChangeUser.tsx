import { Text, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";

import type { User } from "../../api/types";
import { useChangeUser, useSetPassword } from "../../api/users";
import { refusalOf } from "../../ui";
import { Dialog } from "./Dialog";
import { NewPasswordInput } from "./NewPasswordInput";
import { hintOf } from "./passwords";

interface Props {
  user: User;
  onClose: () => void;
}

export function ResetPassword({ user, onClose }: Props) {
  const [password, setPassword] = useState("");
  const set = useSetPassword();
  return (
    <Dialog
      title={`New password for ${user.name}`}
      action="Set the password"
      error={set.error}
      fields={["password"]}
      isBusy={set.isPending}
      isReady={hintOf(password, user.name).isGoodEnough}
      onSubmit={() => {
        set.mutate({ name: user.name, password }, {
          onSuccess: () => {
            notifications.show({ message: `${user.name} has a new password, and is logged out everywhere.` });
            onClose();
          },
        });
      }}
      onClose={onClose}
    >
      <Text c="dimmed">Tell it on a safe way. Wherever {user.name} is logged in now, that ends.</Text>
      <NewPasswordInput label="New password" name={user.name} value={password} error={refusalOf(set.error, "password")} onChange={setPassword} />
    </Dialog>
  );
}

export function EditFullName({ user, onClose }: Props) {
  const [fullName, setFullName] = useState(user.full_name);
  const change = useChangeUser();
  return (
    <Dialog
      title={`Full name of ${user.name}`}
      action="Save"
      error={change.error}
      fields={["full_name"]}
      isBusy={change.isPending}
      isReady
      onSubmit={() => { change.mutate({ name: user.name, change: { full_name: fullName } }, { onSuccess: onClose }); }}
      onClose={onClose}
    >
      <TextInput
        label="Full name"
        data-autofocus
        value={fullName}
        error={refusalOf(change.error, "full_name")}
        onChange={(event) => { setFullName(event.currentTarget.value); }}
      />
    </Dialog>
  );
}
