import { Center, Loader, Stack, Text } from "@mantine/core";
import { useParams, useSearchParams } from "react-router-dom";
import { useEffect } from "react";

import { EncryptionBanner } from "../../app/EncryptionBanner";
import { ErrorBox, formatName } from "../../ui";
import { BottomBar } from "../bars/BottomBar";
import { ToolRail } from "../bars/ToolRail";
import { TopBar } from "../bars/TopBar";
import { useWorkspace } from "../model/store";
import { Panels } from "../panels/Panels";
import { useWorkstationKeys } from "./keys";
import { Layouts } from "./Layouts";
import { useOpening } from "./useOpening";
import styles from "./workstation.module.css";

/** /workstation/{id}, or /workstation/new?study=…: the whole window is the workstation's. */
export default function WorkstationPage() {
  const { id = "" } = useParams();
  const [query] = useSearchParams();
  const { error, retry } = useOpening({
    id: id === "new" ? "" : id,
    study: query.get("study") ?? "",
    series: query.getAll("series"),
    database: query.get("database") ?? "",
    isFresh: query.has("fresh"),
    session: query.get("session") ?? "",
  });
  const isOpen = useWorkspace((state) => state.id !== "");
  const patient = useWorkspace((state) => state.opening?.PatientName);
  useEffect(() => {
    document.title = `${patient ? `${formatName(patient)} · ` : ""}Workstation · Radfuse`;
  }, [patient]);

  if (error !== null) {
    return (
      <Center h="100%" p="lg">
        <Stack maw={560}>
          <ErrorBox error={error} onRetry={retry} />
          <Text size="sm" c="dimmed">
            <a href="/">Back to the studies</a>
          </Text>
        </Stack>
      </Center>
    );
  }
  if (!isOpen) return <Center h="100%"><Loader size="sm" aria-label="Opening" /></Center>;
  return <Open />;
}

function Open() {
  useWorkstationKeys();
  return (
    <div className={styles.page} data-page="workstation">
      <EncryptionBanner />
      <TopBar />
      <div className={styles.middle}>
        <ToolRail />
        <main className={styles.main} aria-label="Images"><Layouts /></main>
        <Panels />
      </div>
      <BottomBar />
    </div>
  );
}
