import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { IconFocusCentered, IconEye, IconEyeOff, IconLayoutBoard, IconRefresh, IconStack2 } from "@tabler/icons-react";

import { keyCaps } from "../../app/Help";
import { LAYOUTS, LAYOUT_NAMES, layoutOf, layoutRefusal } from "../model/layouts";
import { useWorkspace } from "../model/store";
import { TOOLS, type ToolLook } from "../model/tools";
import { openRegistering } from "../registering/actions";
import styles from "./bars.module.css";

const spoken = (keys: string) => keyCaps(keys).flat().join("+");

/** What the left button does, and how the panes stand. */
export function ToolRail() {
  return (
    <div className={styles.rail} role="toolbar" aria-label="Tools" aria-orientation="vertical">
      <LayoutMenu />
      {TOOLS.map((group) => (
        <div key={group[0]?.tool} className={styles.tools}>
          {group.map((look) => <ToolButton key={look.tool} look={look} />)}
        </div>
      ))}
      <div className={styles.tools}>
        <Switches />
      </div>
    </div>
  );
}

function ToolButton({ look: { tool, label, key, icon: Sign } }: { look: ToolLook }) {
  const isChosen = useWorkspace((state) => state.tool === tool);
  const setTool = useWorkspace((state) => state.setTool);
  return (
    <Tooltip label={`${label} (${spoken(key)})`} position="right">
      <ActionIcon size={34} aria-label={label} aria-pressed={isChosen} variant={isChosen ? "light" : "subtle"} color={isChosen ? "accent" : "gray"} onClick={() => { setTool(tool); }}>
        <Sign size={19} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  );
}

function LayoutMenu() {
  const current = useWorkspace((state) => layoutOf(state.doc.layout));
  const setLayout = useWorkspace((state) => state.setLayout);
  const overlay = useWorkspace((state) => state.doc.overlay !== null);
  const prior = useWorkspace((state) => state.doc.prior !== null);
  return (
    <Menu position="right-start" width={320}>
      <Menu.Target>
        <Tooltip label="Layout (1 to 6)" position="right">
          <ActionIcon size={34} aria-label="Layout"><IconLayoutBoard size={19} stroke={1.6} /></ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {LAYOUT_NAMES.map((name) => {
          const refusal = layoutRefusal(name, { overlay, prior });
          return (
            <Menu.Item key={name} disabled={refusal !== ""} title={refusal || undefined} fw={name === current ? 600 : undefined} rightSection={<span className={styles.quiet}>{LAYOUTS[name].key}</span>} onClick={() => { setLayout(name); }}>
              {LAYOUTS[name].label}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

function Switches() {
  const { hideOverlay, showCrosshair, resetView } = useWorkspace.getState();
  const isHidden = useWorkspace((state) => state.is_overlay_hidden);
  const isCross = useWorkspace((state) => state.is_crosshair_shown);
  return (
    <>
      <Tooltip label={isHidden ? "Show the overlay (space)" : "Hide the overlay (space)"} position="right">
        <ActionIcon size={34} aria-label="Hide the overlay" aria-pressed={isHidden} onClick={() => { hideOverlay(!isHidden); }}>
          {isHidden ? <IconEyeOff size={19} stroke={1.6} /> : <IconEye size={19} stroke={1.6} />}
        </ActionIcon>
      </Tooltip>
      <Tooltip label={isCross ? "Hide the crosshair (X)" : "Show the crosshair (X)"} position="right">
        <ActionIcon size={34} aria-label="Show the crosshair" aria-pressed={isCross} variant={isCross ? "light" : "subtle"} onClick={() => { showCrosshair(!isCross); }}>
          <IconFocusCentered size={19} stroke={1.6} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Zoom, shift and turn as at the opening (Home)" position="right">
        <ActionIcon size={34} aria-label="Zoom, shift and turn as at the opening" onClick={resetView}><IconRefresh size={19} stroke={1.6} /></ActionIcon>
      </Tooltip>
      <Tooltip label="Register the overlay onto the base (R)" position="right">
        <ActionIcon size={34} aria-label="Register" onClick={() => { openRegistering(); }}><IconStack2 size={19} stroke={1.6} /></ActionIcon>
      </Tooltip>
    </>
  );
}
