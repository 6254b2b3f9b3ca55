import { Anchor, Button, CopyButton, Text } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { Link } from "react-router-dom";

import type { Status } from "../../api/types";
import { hasRole, useSession } from "../../app/session";
import { asText, splitAddress } from "./addresses";
import { Copyable } from "./Copyable";
import { Facts } from "./Facts";
import { Panel } from "./Panel";

/** What a modality engineer types into the other system. */
export function Addresses({ status }: { status: Status }) {
  const session = useSession();
  const dicom = splitAddress(status.dicom_address);
  const tls = splitAddress(status.tls_address);
  const further = status.databases.flatMap((database) =>
    database.ae_titles.filter((title) => title !== status.ae_title).map((title) => `${title} (${database.name})`),
  );
  return (
    <Panel
      title="Addresses"
      h="100%"
      note="for whoever connects a modality or viewer"
      actions={
        <CopyButton value={asText(status)}>
          {({ copied, copy }) => (
            <Button size="compact-sm" variant="default" onClick={copy} leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}>
              {copied ? "Copied" : "Copy all"}
            </Button>
          )}
        </CopyButton>
      }
    >
      <Facts
        rows={[
          ["AE title", <Copyable key="ae" value={status.ae_title} label="AE title" />],
          ["Host", dicom === null ? "not listening" : <Copyable key="host" value={dicom.host} label="host" />],
          ["DICOM port", dicom === null ? "not listening" : <Copyable key="port" value={dicom.port} label="DICOM port" />],
          [
            "DICOM over TLS",
            tls === null ?
              <Text key="tls" span c="dimmed">not offered</Text>
            : <Copyable key="tls" value={tls.port} label="TLS port" />,
          ],
          ["DICOMweb", <Copyable key="web" value={`${webOf(status)}/dicom-web`} label="DICOMweb address" />],
          ...(further.length === 0 ? [] : [["Further AE titles", further.join(", ")] as [string, string]]),
          [
            "API",
            <Anchor key="api" href="/api/docs" target="_blank" rel="noreferrer">
              Reference for programs
            </Anchor>,
          ],
        ]}
      />
      {dicom?.isLoopback === true && hasRole(session, "administrator") && (
        <Text fz="sm" c="dimmed" mt="sm">
          It listens on this machine only: <Anchor component={Link} to="/settings/node" fz="sm">Address for DICOM</Anchor> in
          the settings opens it to the network.
        </Text>
      )}
    </Panel>
  );
}

function webOf(status: Status): string {
  return status.http_address === "" ? window.location.origin : status.http_address.replace(/\/$/, "");
}
