import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { IconCheck, IconColumns3, IconRestore } from "@tabler/icons-react";

import { AS_DESIGNED, isWanted, toggled, type ColumnState } from "./columnState";
import { COLUMNS } from "./columns";

/** Which columns are shown. Those that have no room leave by themselves. */
export function ColumnMenu({ state, onChange }: { state: ColumnState; onChange: (state: ColumnState) => void }) {
  return (
    <Menu closeOnItemClick={false} position="bottom-end" width={200}>
      <Menu.Target>
        <Tooltip label="Columns">
          <ActionIcon size={30} variant="default" aria-label="Columns">
            <IconColumns3 size={16} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Columns</Menu.Label>
        {COLUMNS.filter((column) => column.id !== "patient").map((column) => {
          const isShown = isWanted(column, state);
          return (
            <Menu.Item
              key={column.id}
              role="menuitemcheckbox"
              aria-checked={isShown}
              leftSection={<IconCheck size={14} style={{ visibility: isShown ? "visible" : "hidden" }} />}
              onClick={() => { onChange(toggled(state, column)); }}
            >
              {column.header}
            </Menu.Item>
          );
        })}
        <Menu.Divider />
        <Menu.Item leftSection={<IconRestore size={14} />} onClick={() => { onChange(AS_DESIGNED); }}>
          As designed
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
