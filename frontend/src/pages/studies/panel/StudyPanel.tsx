import { Loader, Tabs } from "@mantine/core";
import { useState } from "react";

import { ErrorBox } from "../../../ui";
import { StudySessions } from "../../../workstation/sessions/StudySessions";
import type { Chosen } from "../chosen";
import { Preview, type Shown } from "../preview/Preview";
import { AttributesTab } from "./AttributesTab";
import { HistoryTab } from "./HistoryTab";
import { PatientHeader } from "./PatientHeader";
import { SeriesTab } from "./SeriesTab";
import styles from "./panel.module.css";
import { useStudy } from "./reading";
import { usePanelWidth } from "./usePanelWidth";

interface StudyPanelProps {
  study: string;
  database: string;
  onClose: () => void;
  onSend: (chosen: Chosen) => void;
  onExport: (chosen: Chosen) => void;
  onAnonymize: (chosen: Chosen) => void;
  onDelete: (chosen: Chosen) => void;
  /** Take a deletion back, by its job. */
  onKeep: (job: number) => void;
}

export function StudyPanel(props: StudyPanelProps) {
  const { width_px, grip } = usePanelWidth();
  return (
    <aside className={styles.panel} style={{ width: width_px }} aria-label="Study">
      <div className={styles.grip} {...grip} />
      {/* Another study begins with its series, not where the last one was read. */}
      <Content key={props.study} {...props} />
    </aside>
  );
}

/** Whose attributes are read: which series, and its how many-th object. */
export interface Reading {
  series: string;
  at: number;
}

function Content({ study, database, onClose, onSend, onExport, onAnonymize, onDelete, onKeep }: StudyPanelProps) {
  const { data, error, refetch, isPending } = useStudy({ study, database });
  const [tab, setTab] = useState<string | null>("series");
  const [reading, setReading] = useState<Reading | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);

  const readAttributes = (of: Reading) => {
    setReading(of);
    setTab("attributes");
    setShown(null);
  };
  if (isPending) {
    return (
      <div className={styles.waiting}>
        <Loader size={20} />
      </div>
    );
  }
  if (error) {
    return (
      <div className={styles.trouble}>
        <ErrorBox error={error} onRetry={() => void refetch()} />
      </div>
    );
  }
  const first = reading ?? { series: data.series[0]?.SeriesInstanceUID ?? "", at: 0 };
  return (
    <>
      <PatientHeader {...{ study: data.study, database, onClose, onSend, onExport, onAnonymize, onDelete, onKeep }} />
      <StudySessions study={data.study} database={database} />
      <Tabs value={tab} onChange={setTab} className={styles.tabs}>
        <Tabs.List>
          <Tabs.Tab value="series">Series ({data.series.length})</Tabs.Tab>
          <Tabs.Tab value="attributes">Attributes</Tabs.Tab>
          <Tabs.Tab value="history">History</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="series" className={styles.tabPanel}>
          <SeriesTab
            {...{ study, database, onSend, onExport, onDelete }}
            series={data.series}
            onShow={setShown}
            onReadAttributes={readAttributes}
          />
        </Tabs.Panel>
        <Tabs.Panel value="attributes" className={styles.tabPanel}>
          <AttributesTab {...{ study, database }} series={data.series} reading={first} onRead={setReading} />
        </Tabs.Panel>
        <Tabs.Panel value="history" className={styles.tabPanel}>
          <HistoryTab {...{ study, database }} arrived_s={data.study.first_arrived_s} />
        </Tabs.Panel>
      </Tabs>
      {shown && (
        <Preview
          detail={data}
          database={database}
          shown={shown}
          onShow={setShown}
          onClose={() => { setShown(null); }}
          onReadAttributes={readAttributes}
        />
      )}
    </>
  );
}
