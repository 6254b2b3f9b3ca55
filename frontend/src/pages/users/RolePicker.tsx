import { Radio, Stack } from "@mantine/core";

import type { Role } from "../../api/types";
import { ROLE_WORDS } from "../../app/session";
import { ROLE_MEANS } from "./roles";

interface Props {
  roles: Role[];
  value: Role;
  disabled?: boolean;
  error?: string | undefined;
  onChange: (role: Role) => void;
}

/** The roles with what each may do. */
export function RolePicker({ roles, value, disabled = false, error, onChange }: Props) {
  return (
    <Radio.Group label="Role" value={value} error={error} onChange={(role) => { onChange(role as Role); }}>
      <Stack gap="sm" mt={6}>
        {roles.map((role) => (
          <Radio key={role} value={role} label={ROLE_WORDS[role]} description={ROLE_MEANS[role]} disabled={disabled} />
        ))}
      </Stack>
    </Radio.Group>
  );
}
