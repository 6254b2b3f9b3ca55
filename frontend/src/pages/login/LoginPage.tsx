import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { IconAlertTriangle, IconArrowBigUpLine, IconClock, IconLockOpen } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { Navigate, useLocation } from "react-router-dom";

import { logIn, SESSION, useSessionQuery } from "../../api/session";
import { isLoopback } from "../../app/EncryptionBanner";
import { Logo } from "../../app/Logo";
import { Patience } from "../../app/Waiting";
import { sentence } from "../../ui/ErrorBox";
import styles from "./login.module.css";
import { cameFrom, isExpired, loginTrouble } from "./words";

export default function LoginPage() {
  const { data: session, isPending } = useSessionQuery();
  const location = useLocation();
  useEffect(() => {
    document.title = "Log in · Radfuse";
  }, []);
  if (isPending) return <Patience />;
  if (session) return <Navigate to={cameFrom(location.state)} replace />;
  const isOpen = window.location.protocol === "http:" && !isLoopback(window.location.hostname);
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <div className={styles.brand}>
          <Logo size={40} />
          <h1 className={styles.title}>Radfuse</h1>
        </div>
        {isOpen && (
          <Alert color="yellow" icon={<IconLockOpen size={18} />} mb="md">
            This connection is not encrypted: your password can be read on its way.
          </Alert>
        )}
        {isExpired(location.state) && (
          <Alert color="gray" icon={<IconClock size={18} />} mb="md">
            Your session has ended. Log in to go on where you were.
          </Alert>
        )}
        <LoginForm />
      </div>
    </main>
  );
}

function LoginForm() {
  const client = useQueryClient();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [trouble, setTrouble] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [hasCaps, setCaps] = useState(false);
  const passwordField = useRef<HTMLInputElement>(null);

  const enter = async () => {
    setBusy(true);
    setTrouble("");
    try {
      client.setQueryData(SESSION, await logIn(user.trim(), password));
    } catch (error) {
      setTrouble(sentence(loginTrouble(error)));
      setPassword("");
      setBusy(false);
      passwordField.current?.focus();
    }
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void enter();
      }}
      onKeyDown={(event) => { setCaps(event.getModifierState("CapsLock")); }}
      onKeyUp={(event) => { setCaps(event.getModifierState("CapsLock")); }}
    >
      <Stack gap="md">
        <TextInput
          label="Name"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          withAsterisk={false}
          value={user}
          onChange={(event) => { setUser(event.currentTarget.value); }}
        />
        <PasswordInput
          ref={passwordField}
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => { setPassword(event.currentTarget.value); }}
        />
        <div role="status" className={styles.caps}>
          {hasCaps && (
            <>
              <IconArrowBigUpLine size={16} aria-hidden /> Caps lock is on.
            </>
          )}
        </div>
        {trouble && (
          <Alert color="red" icon={<IconAlertTriangle size={18} />} role="alert">
            {trouble}
          </Alert>
        )}
        <Button type="submit" fullWidth loading={isBusy} disabled={!user.trim() || !password}>
          Log in
        </Button>
      </Stack>
    </form>
  );
}
