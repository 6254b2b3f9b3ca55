/** Folders of the server, looked through below those that the settings allow. */
import { Anchor, Breadcrumbs, Loader, Text, UnstyledButton } from "@mantine/core";
import { IconDisc, IconFileZip, IconFolder, IconLock } from "@tabler/icons-react";
import { Link } from "react-router-dom";

import { useMediaPlaces, type FolderUse, type MediaPlace } from "../../../api/media";
import { Empty, ErrorBox, formatBytes } from "../../../ui";
import styles from "./media.module.css";

/** A folder or file of the server. */
export interface Where {
  folder: string;
  path: string;
}

interface ServerFolderProps {
  use: FolderUse;
  /** Null: none is chosen yet. */
  where: Where | null;
  onWhere: (where: Where | null, place: MediaPlace | null) => void;
}

export function ServerFolder({ use, where, onWhere }: ServerFolderProps) {
  // A file is chosen, its folder is shown.
  const shown = where && { ...where, path: /\.(zip|iso|udf|img)$/i.test(where.path) ? parentOf(where.path) : where.path };
  const { data, error, refetch, isFetching } = useMediaPlaces({ use, ...shown });
  if (!where && data?.places.length === 0) return <NoFolders use={use} />;
  return (
    <section className={styles.folders} aria-label="Folders of the server">
      <Path where={shown} onWhere={onWhere} />
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {!data && isFetching && <Loader size="xs" m="sm" />}
      {data && (
        <div className={styles.places} role="listbox" aria-label="What is in it" tabIndex={-1}>
          {data.places.length === 0 && <Text size="sm" c="dimmed" p={8}>No folders in it{use === "import" ? ", and no zip file or image" : ""}.</Text>}
          {data.places.map((place) => (
            <Row
              key={`${place.folder} ${place.path}`}
              place={place}
              use={use}
              isChosen={where !== null && place.path === where.path && place.folder === where.folder}
              onPick={() => { onWhere({ folder: place.folder, path: place.path }, place); }}
            />
          ))}
          {data.has_more && <Text size="sm" c="dimmed" p={8}>… and more: only the first are listed.</Text>}
        </div>
      )}
    </section>
  );
}

function parentOf(path: string): string {
  return path.split("/").slice(0, -1).join("/");
}

function Path({ where, onWhere }: { where: Where | null; onWhere: ServerFolderProps["onWhere"] }) {
  const parts = where?.path ? where.path.split("/") : [];
  const steps = [
    { name: "Server", to: null },
    ...(where ? [{ name: where.folder, to: { folder: where.folder, path: "" } }] : []),
    ...parts.map((name, at) => ({ name, to: where && { folder: where.folder, path: parts.slice(0, at + 1).join("/") } })),
  ];
  return (
    <Breadcrumbs separatorMargin={4} className={styles.path}>
      {steps.map(({ name, to }, at) =>
        at === steps.length - 1 ? (
          <Text key={at} size="sm" fw={600}>{name}</Text>
        ) : (
          <Anchor key={at} component="button" type="button" size="sm" onClick={() => { onWhere(to, null); }}>{name}</Anchor>
        ),
      )}
    </Breadcrumbs>
  );
}

const ICONS = { folder: IconFolder, zip: IconFileZip, image: IconDisc };

interface RowProps {
  place: MediaPlace;
  use: FolderUse;
  isChosen: boolean;
  onPick: () => void;
}

function Row({ place, use, isChosen, onPick }: RowProps) {
  const isUsable = use === "import" ? place.is_readable : place.is_writable || place.is_readable;
  const PlaceIcon = isUsable ? ICONS[place.kind] : IconLock;
  return (
    <UnstyledButton className={styles.place} role="option" aria-selected={isChosen} disabled={!isUsable} onClick={onPick}>
      <PlaceIcon size={16} aria-hidden />
      <span className={styles.placeName}>{place.name}</span>
      <span className={styles.placeNote}>{noteOf(place, use)}</span>
    </UnstyledButton>
  );
}

function noteOf(place: MediaPlace, use: FolderUse): string {
  if (!place.is_readable) return "may not be read";
  if (use === "export" && !place.is_writable) return "may not be written";
  if (place.kind !== "folder") return formatBytes(place.size_bytes);
  return place.holds_dicomdir ? "DICOMDIR" : "";
}

function NoFolders({ use }: { use: FolderUse }) {
  const setting = use === "import" ? "media.import_folders" : "media.export_folders";
  return (
    <Empty icon={<IconFolder size={32} stroke={1.3} />} title="No folder of the server may be used">
      <Text>
        Name those that may in <Anchor component={Link} to="/settings">Settings</Anchor>: {setting}.
      </Text>
    </Empty>
  );
}
