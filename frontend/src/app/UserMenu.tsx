import { Menu, SegmentedControl, UnstyledButton, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useQueryClient } from "@tanstack/react-query";
import { IconKey, IconKeyboard, IconLock, IconLogout, IconUserPlus } from "@tabler/icons-react";
import { Link } from "react-router-dom";

import { logOut } from "../api/session";
import { failed } from "../ui/undoable";
import { ChangePassword } from "./ChangePassword";
import { openHelp } from "./Help";
import { ROLE_WORDS, useSession } from "./session";
import styles from "./shell.module.css";

/** "Jane Doe" -> "JD", "jdoe" -> "J". */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "");
  return letters.join("").toLocaleUpperCase();
}

function changePassword(): void {
  const id = modals.open({ title: "Change password", children: <ChangePassword onDone={() => { modals.close(id); }} /> });
}

/** Who one is, the colours, and the way out. */
export function UserMenu({ isSlim }: { isSlim: boolean }) {
  const session = useSession();
  const isAlone = session.mode === "single-user";
  const name = isAlone ? "Local" : session.full_name || session.user;
  return (
    <Menu position="right-end" width={264}>
      <Menu.Target>
        <UnstyledButton className={styles.user} aria-label={`${name}: menu`}>
          <span className={styles.avatar} aria-hidden>
            {initials(name)}
          </span>
          {!isSlim && (
            <span className={styles.userWords}>
              <span className={styles.userName}>{name}</span>
              <span className={styles.userRole}>{isAlone ? "Single user" : ROLE_WORDS[session.role]}</span>
            </span>
          )}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={styles.menuHead}>
          <div className={styles.userName}>{name}</div>
          <div className={styles.menuText}>
            {isAlone
              ? "There are no users yet: anyone at this machine is the administrator, and nobody else is let in."
              : `${session.user}, ${ROLE_WORDS[session.role].toLowerCase()}`}
          </div>
        </div>
        <Menu.Divider />
        <Schemes />
        <Menu.Divider />
        <Menu.Item leftSection={<IconKeyboard size={16} />} rightSection="?" onClick={openHelp}>
          Keyboard shortcuts
        </Menu.Item>
        {isAlone ? <FirstUser /> : <Account />}
        <Menu.Divider />
        <Menu.Label>Radfuse {session.version}</Menu.Label>
      </Menu.Dropdown>
    </Menu>
  );
}

function FirstUser() {
  return (
    <Menu.Item leftSection={<IconUserPlus size={16} />} component={Link} to="/users">
      Add a user
    </Menu.Item>
  );
}

function Account() {
  const client = useQueryClient();
  const leave = async () => {
    try {
      await logOut(client);
    } catch (error) {
      failed("You are still logged in", error);
    }
  };
  return (
    <>
      <Menu.Item leftSection={<IconLock size={16} />} onClick={changePassword}>
        Change password…
      </Menu.Item>
      <Menu.Item leftSection={<IconKey size={16} />} component={Link} to="/users?tab=tokens">
        API tokens
      </Menu.Item>
      <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>
        Log out
      </Menu.Item>
    </>
  );
}

function Schemes() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <div className={styles.schemes}>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label="Colours"
        value={colorScheme}
        onChange={(value) => { setColorScheme(value as MantineColorScheme); }}
        data={[
          { value: "dark", label: "Dark" },
          { value: "light", label: "Light" },
          { value: "auto", label: "System" },
        ]}
      />
    </div>
  );
}
