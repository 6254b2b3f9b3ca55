import { PasswordInput, Progress, Text } from "@mantine/core";

import { hintOf } from "./passwords";

interface Props {
  label?: string;
  name: string;
  value: string;
  error?: string | undefined;
  onChange: (value: string) => void;
}

/** A new password, with how long it still has to become. */
export function NewPasswordInput({ label = "Password", name, value, error, onChange }: Props) {
  const hint = hintOf(value, name);
  const color = hint.isGoodEnough ? "var(--rf-good)" : "var(--rf-warn)";
  return (
    <div>
      <PasswordInput
        label={label}
        required
        autoComplete="new-password"
        value={value}
        error={error}
        aria-describedby="password-hint"
        onChange={(event) => { onChange(event.currentTarget.value); }}
      />
      <Progress value={hint.progress} color={color} size={4} mt={6} aria-hidden />
      <Text id="password-hint" fz="sm" c="dimmed" mt={4}>{hint.words}</Text>
    </div>
  );
}
