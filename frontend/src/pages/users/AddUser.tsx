import { Alert, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconInfoCircle } from "@tabler/icons-react";
import { useState } from "react";

import { useAddUser, type NewUser } from "../../api/users";
import { refusalOf } from "../../ui";
import { Dialog } from "./Dialog";
import { NewPasswordInput } from "./NewPasswordInput";
import { hintOf } from "./passwords";
import { RolePicker } from "./RolePicker";
import { ROLES } from "./roles";

const FIELDS = ["name", "full_name", "role", "password"];

/** The first user must be an administrator, and login is needed from then on. */
export function AddUser({ isFirst, onClose }: { isFirst: boolean; onClose: () => void }) {
  const [user, setUser] = useState<NewUser>({ name: "", full_name: "", role: isFirst ? "administrator" : "reader", password: "" });
  const add = useAddUser();
  const set = (part: Partial<NewUser>): void => { setUser({ ...user, ...part }); };
  return (
    <Dialog
      title={isFirst ? "Add the first user" : "Add a user"}
      action={isFirst ? "Add and go to login" : "Add"}
      error={add.error}
      fields={FIELDS}
      isBusy={add.isPending}
      isReady={user.name.trim() !== "" && hintOf(user.password, user.name).isGoodEnough}
      onSubmit={() => {
        add.mutate(user, {
          onSuccess: (added) => {
            notifications.show({ message: isFirst ? `${added.name} is the administrator now: log in.` : `${added.name} may log in now.` });
            onClose();
          },
        });
      }}
      onClose={onClose}
    >
      {isFirst && (
        <Alert color="blue" icon={<IconInfoCircle size={18} />}>
          From now on everybody must log in, on this machine too. The first user is an administrator, who adds the others.
        </Alert>
      )}
      <TextInput
        label="Name"
        description="To log in with: a-z, digits and _ . @ -"
        required
        data-autofocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={user.name}
        error={refusalOf(add.error, "name")}
        onChange={(event) => { set({ name: event.currentTarget.value }); }}
      />
      <TextInput
        label="Full name"
        autoComplete="off"
        value={user.full_name}
        error={refusalOf(add.error, "full_name")}
        onChange={(event) => { set({ full_name: event.currentTarget.value }); }}
      />
      <RolePicker
        roles={isFirst ? ["administrator"] : ROLES}
        value={user.role}
        error={refusalOf(add.error, "role")}
        onChange={(role) => { set({ role }); }}
      />
      <NewPasswordInput name={user.name} value={user.password} error={refusalOf(add.error, "password")} onChange={(password) => { set({ password }); }} />
    </Dialog>
  );
}
