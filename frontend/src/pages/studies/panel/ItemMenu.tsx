import { ActionIcon, Menu } from "@mantine/core";
import { IconDisc, IconDotsVertical, IconListDetails, IconPhoto, IconSend, IconTrash } from "@tabler/icons-react";

export interface ItemActions {
  /** Where there is a picture. */
  onShow?: (() => void) | undefined;
  onReadAttributes: () => void;
  /** For those who may. */
  onSend?: (() => void) | undefined;
  onExport?: (() => void) | undefined;
  onDelete?: (() => void) | undefined;
}

interface ItemMenuProps extends ItemActions {
  what: "series" | "instance";
  className?: string | undefined;
}

/** What can be done with one series or one instance. */
export function ItemMenu({ what, className, onShow, onReadAttributes, onSend, onExport, onDelete }: ItemMenuProps) {
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <ActionIcon className={className} aria-label={`Actions for this ${what}`}>
          <IconDotsVertical size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {onShow && (
          <Menu.Item leftSection={<IconPhoto size={16} />} onClick={onShow}>
            Preview
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconListDetails size={16} />} onClick={onReadAttributes}>
          Attributes
        </Menu.Item>
        {onSend && (
          <Menu.Item leftSection={<IconSend size={16} />} onClick={onSend}>
            Send {what} …
          </Menu.Item>
        )}
        {onExport && (
          <Menu.Item leftSection={<IconDisc size={16} />} onClick={onExport}>
            Export {what} …
          </Menu.Item>
        )}
        {onDelete && (
          <Menu.Item leftSection={<IconTrash size={16} />} onClick={onDelete}>
            Delete {what}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
