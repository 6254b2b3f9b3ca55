import { ActionIcon, Tooltip } from "@mantine/core";
import { useLocalStorage, useMediaQuery } from "@mantine/hooks";
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from "@tabler/icons-react";
import { NavLink, useLocation } from "react-router-dom";

import { useLiveState } from "../api/events";
import { LiveDot } from "../ui/LiveDot";
import { Logo } from "./Logo";
import { useMarks, type Mark } from "./marks";
import { isAt, RAIL, type RailPage } from "./pages";
import { hasRole, useSession } from "./session";
import styles from "./shell.module.css";
import { UserMenu } from "./UserMenu";

const WIDE = "(min-width: 1180px)";

/** Where one can go, as whom, on which node. Icons alone on a tablet and for whoever wants the room. */
export function Rail() {
  const session = useSession();
  const [isFolded, setFolded] = useLocalStorage({ key: "radfuse-rail-folded", defaultValue: false, getInitialValueInEffect: false });
  const isWide = useMediaQuery(WIDE, true, { getInitialValueInEffect: false });
  const isSlim = isFolded || !isWide;
  const marks = useMarks();

  return (
    <nav className={styles.rail} data-slim={isSlim || undefined} aria-label="Pages">
      <NodeName title={session.ae_title} isSlim={isSlim} />
      {RAIL.map((group) => {
        const mine = group.filter((page) => hasRole(session, page.role));
        return (
          <ul key={group[0]?.path} className={styles.group}>
            {mine.map((page) => (
              <RailItem key={page.path} page={page} isSlim={isSlim} mark={marks[page.path]} />
            ))}
          </ul>
        );
      })}
      <div className={styles.foot}>
        <UserMenu isSlim={isSlim} />
        {isWide && (
          <Tooltip label={isFolded ? "Show the names of the pages" : "Icons only"} position="right">
            <ActionIcon
              size="md"
              aria-label={isFolded ? "Show the names of the pages" : "Icons only"}
              onClick={() => { setFolded(!isFolded); }}
            >
              {isFolded ? <IconLayoutSidebarLeftExpand size={18} /> : <IconLayoutSidebarLeftCollapse size={18} />}
            </ActionIcon>
          </Tooltip>
        )}
      </div>
    </nav>
  );
}

function NodeName({ title, isSlim }: { title: string; isSlim: boolean }) {
  const live = useLiveState();
  return (
    <div className={styles.node}>
      <Logo size={26} />
      {!isSlim && (
        <div className={styles.nodeWords}>
          <span className={styles.product}>Radfuse</span>
          <Tooltip label={`AE title of this node: ${title}`} position="right">
            <span className={styles.aeTitle}>{title}</span>
          </Tooltip>
        </div>
      )}
      <LiveDot state={live} />
    </div>
  );
}

function RailItem({ page, isSlim, mark }: { page: RailPage; isSlim: boolean; mark?: Mark }) {
  const { pathname } = useLocation();
  const { icon: Icon, label, path, letter } = page;
  const isHere = isAt(path, pathname);
  const spoken = mark ? `${label}, ${mark.text}` : label;
  return (
    <li>
      <Tooltip
        label={`${isSlim ? `${spoken} (g ${letter})` : (mark?.text ?? "")}`}
        disabled={!isSlim && !mark}
        position="right"
      >
        <NavLink
          to={path}
          end={path === "/"}
          className={styles.item ?? ""}
          data-here={isHere || undefined}
          aria-current={isHere ? "page" : undefined}
          aria-label={spoken}
        >
          <Icon size={19} stroke={1.6} aria-hidden />
          {!isSlim && <span className={styles.label}>{label}</span>}
          {mark && (
            <span className={styles.mark} data-tone={mark.tone}>
              {mark.short}
            </span>
          )}
        </NavLink>
      </Tooltip>
    </li>
  );
}
