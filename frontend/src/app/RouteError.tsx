import { Anchor, Button, Group } from "@mantine/core";
import { IconAlertTriangle, IconMapOff } from "@tabler/icons-react";
import { Link, useRouteError } from "react-router-dom";

import { problemOf } from "../api/client";
import { Empty } from "../ui/Empty";
import { sentence } from "../ui/ErrorBox";
import { Page } from "../ui/Page";

/** What stands in place of a page that broke; the rest of the console goes on. */
export function RouteError() {
  const { detail } = problemOf(useRouteError());
  return (
    <Page title="This page broke">
      <Empty icon={<IconAlertTriangle size={40} stroke={1.4} />} title="This page could not be shown">
        <p>{sentence(detail)} Nothing was lost: what the service did, it has done.</p>
        <Group justify="center">
          <Button onClick={() => { window.location.reload(); }}>Load it again</Button>
          <Button variant="default" component="a" href="/">
            Go to the studies
          </Button>
        </Group>
      </Empty>
    </Page>
  );
}

export function NotFound() {
  return (
    <Page title="No such page">
      <Empty icon={<IconMapOff size={40} stroke={1.4} />} title="There is no page at this address">
        <p>
          It may have moved. <Anchor component={Link} to="/">The studies are here.</Anchor>
        </p>
      </Empty>
    </Page>
  );
}
