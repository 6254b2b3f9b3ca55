import { Anchor, Button, Code, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconDatabaseImport, IconSearchOff } from "@tabler/icons-react";
import { Link } from "react-router-dom";

import { get } from "../../api/client";
import type { Status } from "../../api/types";
import { hasRole, useSession } from "../../app/session";
import { Empty } from "../../ui";
import { UploadButton } from "../../uploads/UploadButton";

/** An archive without studies says how to fill it. */
export function EmptyArchive() {
  const session = useSession();
  const { data: status } = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => get<Status>("/status", {}, signal),
  });
  const canAdd = hasRole(session, "operator");
  return (
    <Empty icon={<IconDatabaseImport size={40} stroke={1.3} />} title="The archive is empty">
      {canAdd && (
        <>
          <Text>Drop DICOM files, folders, zip archives or ISO images anywhere on this page.</Text>
          <Group justify="center" my="md">
            <UploadButton variant="filled" />
          </Group>
        </>
      )}
      <Text>
        Or send to it from a scanner or another archive: AE title <Code>{session.ae_title}</Code>
        {status?.dicom_address && (
          <>
            {" at "}
            <Code>{status.dicom_address}</Code>
          </>
        )}
        .
      </Text>
    </Empty>
  );
}

interface NothingFoundProps {
  q: string;
  understood: readonly { text: string; meaning: string }[];
  onClear: () => void;
}

export function NothingFound({ q, understood, onClear }: NothingFoundProps) {
  return (
    <Empty icon={<IconSearchOff size={40} stroke={1.3} />} title="No study matches">
      <Text style={{ overflowWrap: "anywhere" }}>
        {understood.length > 1
          ? "All of the words must fit. Take one away above, or begin anew."
          : `Nothing in the archive has “${q}” in a name, ID, accession number or description.`}
      </Text>
      <Group justify="center" mt="md">
        <Button variant="default" onClick={onClear}>
          Clear the search
        </Button>
      </Group>
      <Text mt="md">
        It may be elsewhere: <Anchor component={Link} to="/query">query a peer</Anchor>.
      </Text>
    </Empty>
  );
}
