import { Alert, Badge, Button, Group, List, Select, Skeleton, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCertificate, IconDownload, IconLock, IconLockOpen } from "@tabler/icons-react";
import { useState } from "react";

import { useMakeCertificates, usePeerCertificate, useTls } from "../../api/admin";
import { problemOf } from "../../api/client";
import { usePeers } from "../../api/peers";
import type { Certificate, TlsStatus } from "../../api/types";
import { confirmDestroy, ErrorBox, formatCounted, formatInstant } from "../../ui";
import { saveBlob } from "../audit/csv";
import { Copyable } from "../status/Copyable";
import { Facts } from "../status/Facts";
import { Panel } from "../status/Panel";

const SOON_DAYS = 30;

/** Whether TLS is offered, with which certificate, and what peers need. */
export function TlsPanel() {
  const { data, error, refetch } = useTls();
  if (error !== null && data === undefined) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton h={200} radius="md" />;
  return (
    <Stack gap="lg" mb="lg">
      {data.warning !== "" && (
        <Alert color="orange" icon={<IconAlertTriangle size={18} />}>{data.warning}</Alert>
      )}
      <Panel
        title={stateOf(data)}
        note={data.is_offered ? <IconLock size={14} aria-hidden /> : <IconLockOpen size={14} aria-hidden />}
        actions={<MakeCertificates certificate={data.certificate} />}
      >
        {data.certificate === null ?
          <Text c="dimmed">
            There is no certificate yet. “Make certificates” makes an authority and this node’s certificate in the data
            folder; with a certificate of your hospital’s authority, name its files below.
          </Text>
        : <CertificateFacts certificate={data.certificate} tls={data} />}
      </Panel>
      {data.certificate !== null && <WhatPeersNeed tls={data} />}
    </Stack>
  );
}

function stateOf(tls: TlsStatus): string {
  if (tls.is_offered) return `Offered on port ${tls.port}`;
  return tls.certificate === null ? "Not offered" : "Offered after the next start";
}

function CertificateFacts({ certificate, tls }: { certificate: Certificate; tls: TlsStatus }) {
  const { days_left } = certificate;
  return (
    <Facts
      rows={[
        ["For", certificate.names.length === 0 ? certificate.subject : certificate.names.join(", ")],
        ["Issued by", certificate.issuer],
        [
          "Valid until",
          <Group key="until" gap="sm">
            {formatInstant(certificate.not_after_s)}
            <Badge color={days_left < 0 ? "red" : days_left < SOON_DAYS ? "orange" : "green"}>
              {days_left < 0 ? "expired" : `${formatCounted(days_left, "day")} left`}
            </Badge>
          </Group>,
        ],
        ["Key", certificate.key],
        ["SHA-256", <Copyable key="sha" value={certificate.sha256} label="SHA-256 of the certificate" />],
        ["Versions", tls.versions.join(", ")],
        ["Cipher suites", <Text key="suites" fz="sm" ff="monospace" lh={1.5}>{tls.cipher_suites.join(", ")}</Text>],
      ]}
    />
  );
}

function WhatPeersNeed({ tls }: { tls: TlsStatus }) {
  return (
    <Panel title="What a peer needs">
      <List spacing={4}>
        <List.Item>Port {tls.port}, DICOM over TLS 1.2 or later.</List.Item>
        <List.Item>
          The certificate of the authority that issued ours, to trust this node
          {tls.authorities === "" ? "." : <> (here: <Text span ff="monospace" fz="sm">{tls.authorities}</Text>).</>}
        </List.Item>
        {tls.client_certificates === "none" ?
          <List.Item>No certificate of its own: callers are not asked for one.</List.Item>
        : <List.Item>
            A certificate of its own ({tls.client_certificates}), from an authority that this node trusts.
          </List.Item>
        }
      </List>
      <PeerCertificate />
    </Panel>
  );
}

/** For peers without an authority of their own: a certificate and key by ours, as a zip archive. */
function PeerCertificate() {
  const peers = (usePeers().data ?? []).map((peer) => peer.name);
  const [peer, setPeer] = useState<string | null>(null);
  const make = usePeerCertificate();
  function begin(renew: boolean): void {
    if (peer === null) return;
    make.mutate({ peer, renew }, { onSuccess: (archive) => { saveBlob(`${peer}-tls.zip`, archive); } });
  }
  const isThere = make.error !== null && problemOf(make.error).status === 409;
  return (
    <Stack gap="sm" mt="md">
      <Group gap="sm" align="flex-end">
        <Select label="Make a certificate for a peer" placeholder="Choose a peer" data={peers} value={peer} w={240} searchable onChange={setPeer} />
        <Button variant="default" leftSection={<IconDownload size={16} />} disabled={peer === null} loading={make.isPending} onClick={() => { begin(false); }}>
          Download
        </Button>
        {isThere && <Button variant="default" color="red" onClick={() => { begin(true); }}>Replace it by a new one</Button>}
      </Group>
      {make.error !== null && <ErrorBox error={make.error} />}
      {make.isSuccess && (
        <Text fz="sm" c="dimmed">
          The archive holds the certificate, its private key and our authority’s certificate. Give it to the peer on a safe way, and to nobody else.
        </Text>
      )}
    </Stack>
  );
}

function MakeCertificates({ certificate }: { certificate: Certificate | null }) {
  const make = useMakeCertificates();
  const done = () => {
    notifications.show({ message: "Certificates made. The service offers TLS from its next start on." });
  };
  function ask(): void {
    confirmDestroy({
      title: "Make a new certificate?",
      text: "The certificate of this node is replaced. Its authority stays, so that peers who trust it go on trusting this node.",
      action: "Replace the certificate",
      onConfirm: async () => {
        await make.mutateAsync({ renew: true });
        done();
      },
    });
  }
  return (
    <Stack gap={4} align="flex-end">
      <Button
        variant={certificate === null ? "filled" : "default"}
        leftSection={<IconCertificate size={16} />}
        loading={make.isPending}
        onClick={() => {
          if (certificate === null) make.mutate({ renew: false }, { onSuccess: done });
          else ask();
        }}
      >
        {certificate === null ? "Make certificates" : "Make a new certificate"}
      </Button>
      {make.error !== null && certificate === null && <ErrorBox error={make.error} />}
    </Stack>
  );
}
