import { Grid, Skeleton, Stack } from "@mantine/core";

import { useStatus } from "../../api/admin";
import type { Status } from "../../api/types";
import { ErrorBox, Page } from "../../ui";
import { Addresses } from "./Addresses";
import { ArrivalsChart } from "./ArrivalsChart";
import { DatabasesTable } from "./DatabasesTable";
import { JobsPanel, ServicePanel } from "./ServicePanels";
import classes from "./status.module.css";
import { Troubles } from "./Troubles";
import { VolumePanel } from "./VolumePanel";

/** Storage and health at a glance: troubles first. */
export default function StatusPage() {
  const { data, error, refetch } = useStatus();
  return (
    <Page title="Status" subtitle="Storage and health of this node">
      {error !== null && data === undefined && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {error === null && data === undefined && <Loading />}
      {data !== undefined && <AtAGlance status={data} />}
    </Page>
  );
}

function AtAGlance({ status }: { status: Status }) {
  return (
    <Stack gap="lg">
      <Troubles troubles={status.troubles} />
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Addresses status={status} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <div className={classes.side}>
            <VolumePanel volume={status.volume} />
            <ServicePanel status={status} />
          </div>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 8 }}>
          <ArrivalsChart arrivals={status.arrivals} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <JobsPanel jobs={status.jobs} />
        </Grid.Col>
        <Grid.Col span={12}>
          <DatabasesTable databases={status.databases} />
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

function Loading() {
  return (
    <Stack gap="lg" aria-busy aria-label="Loading">
      <Skeleton h={24} w={280} />
      {[220, 180, 140].map((height) => <Skeleton key={height} h={height} radius="md" />)}
    </Stack>
  );
}
