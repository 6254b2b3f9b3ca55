import { ActionIcon, Loader, Select, TextInput, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconChevronLeft, IconChevronRight, IconCopy, IconDownload, IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";

import { fileAddress } from "../../../api/studies";
import type { Series } from "../../../api/types";
import { Empty, ErrorBox, formatCount } from "../../../ui";
import { AttributeList } from "./AttributeList";
import type { Reading } from "./StudyPanel";
import { asText, found } from "./attributes";
import styles from "./panel.module.css";
import { useAttributes, useInstances } from "./reading";

interface AttributesTabProps {
  study: string;
  database: string;
  series: Series[];
  reading: Reading;
  onRead: (reading: Reading) => void;
}

/** Every attribute of one object: which object, what to look for, and the list. */
export function AttributesTab({ study, database, series, reading, onRead }: AttributesTabProps) {
  const [text, setText] = useState("");
  const instances = useInstances({ study, series: reading.series, database });
  const count = instances.data?.length ?? 0;
  const at = Math.min(reading.at, Math.max(count - 1, 0));
  const instance = instances.data?.[at]?.SOPInstanceUID;
  const place = { study, series: reading.series, instance, database };
  const attributes = useAttributes(place);
  const shown = useMemo(() => found(attributes.data ?? [], text), [attributes.data, text]);
  const clipboard = useClipboard({ timeout: 1500 });
  const error = instances.error ?? attributes.error;

  const step = (by: number) => { onRead({ ...reading, at: Math.min(Math.max(at + by, 0), count - 1) }); };
  return (
    <div className={styles.attributes}>
      <div className={styles.attributeTools}>
        <Select
          aria-label="Series"
          className={styles.attributeSeries}
          data={series.map((each) => ({ value: each.SeriesInstanceUID, label: labelOf(each) }))}
          value={reading.series}
          onChange={(uid) => { if (uid) onRead({ series: uid, at: 0 }); }}
        />
        <div className={styles.stepper}>
          <ActionIcon aria-label="Instance before" disabled={at <= 0} onClick={() => { step(-1); }}>
            <IconChevronLeft size={16} />
          </ActionIcon>
          <span>
            {formatCount(count && at + 1)} / {formatCount(count)}
          </span>
          <ActionIcon aria-label="Next instance" disabled={at >= count - 1} onClick={() => { step(1); }}>
            <IconChevronRight size={16} />
          </ActionIcon>
        </div>
      </div>
      <div className={styles.attributeTools}>
        <TextInput
          className={styles.attributeSeries}
          aria-label="Search attributes"
          placeholder="Name, keyword, tag or value"
          leftSection={<IconSearch size={16} />}
          value={text}
          spellCheck={false}
          onChange={(event) => { setText(event.currentTarget.value); }}
          onKeyDown={(event) => {
            if (event.key !== "Escape" || !text) return;
            event.preventDefault();
            setText("");
          }}
        />
        <Tooltip label={clipboard.copied ? "Copied" : "Copy what is shown"}>
          <ActionIcon size={30} aria-label="Copy what is shown" onClick={() => { clipboard.copy(asText(shown)); }}>
            {clipboard.copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          </ActionIcon>
        </Tooltip>
        {instance && (
          <Tooltip label="Download this object as a DICOM file">
            <ActionIcon
              size={30}
              aria-label="Download this object"
              component="a"
              href={fileAddress({ ...place, instance })}
              download={`${instance}.dcm`}
            >
              <IconDownload size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      {error && <ErrorBox error={error} onRetry={() => void attributes.refetch()} />}
      {!attributes.data && !error && <Loader size={16} m="md" />}
      {attributes.data && shown.length === 0 && <Empty title="No attribute matches">{`Nothing here has “${text}”.`}</Empty>}
      {shown.length > 0 && <AttributeList attributes={shown} key={text} />}
    </div>
  );
}

function labelOf(series: Series): string {
  return [series.Modality, series.SeriesNumber, series.SeriesDescription].filter(Boolean).join(" · ") || "Series";
}
