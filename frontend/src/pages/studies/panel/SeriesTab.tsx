import { useState } from "react";

import { hasRole, useSession } from "../../../app/session";
import type { Series } from "../../../api/types";
import { Empty } from "../../../ui";
import { chosenInstance, chosenSeries, type Chosen } from "../chosen";
import type { Shown } from "../preview/Preview";
import { InstanceGrid } from "./InstanceGrid";
import { SeriesCard } from "./SeriesCard";
import type { Reading } from "./StudyPanel";
import styles from "./panel.module.css";

interface SeriesTabProps {
  study: string;
  database: string;
  series: Series[];
  onShow: (shown: Shown) => void;
  onReadAttributes: (reading: Reading) => void;
  onSend: (chosen: Chosen) => void;
  onExport: (chosen: Chosen) => void;
  onDelete: (chosen: Chosen) => void;
}

/** The series, each opening to its instances. */
export function SeriesTab(props: SeriesTabProps) {
  const { study, database, series, onShow, onReadAttributes } = props;
  const [opened, setOpened] = useState<string | null>(null);
  const canChange = hasRole(useSession(), "operator");
  if (series.length === 0) return <Empty title="No series">Nothing of this study is kept any more.</Empty>;
  return (
    <ul className={styles.series}>
      {series.map((each) => {
        const uid = each.SeriesInstanceUID;
        const chosen = chosenSeries(study, each, database);
        return (
          <li key={uid}>
            <SeriesCard
              series={each}
              isOpen={opened === uid}
              onToggle={() => { setOpened(opened === uid ? null : uid); }}
              onShow={each.thumbnail ? () => { onShow({ series: uid, at: null }); } : undefined}
              onReadAttributes={() => { onReadAttributes({ series: uid, at: 0 }); }}
              onSend={canChange ? () => { props.onSend(chosen); } : undefined}
              onExport={canChange ? () => { props.onExport(chosen); } : undefined}
              onDelete={canChange ? () => { props.onDelete(chosen); } : undefined}
            />
            {opened === uid && (
              <InstanceGrid
                place={{ study, series: uid, database }}
                modality={each.Modality}
                onShow={(at) => { onShow({ series: uid, at }); }}
                onReadAttributes={(at) => { onReadAttributes({ series: uid, at }); }}
                onSend={canChange ? (one) => { props.onSend(chosenInstance(study, uid, one, database)); } : undefined}
                onExport={canChange ? (one) => { props.onExport(chosenInstance(study, uid, one, database)); } : undefined}
                onDelete={canChange ? (one) => { props.onDelete(chosenInstance(study, uid, one, database)); } : undefined}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}
