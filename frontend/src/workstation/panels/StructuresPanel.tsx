import { ActionIcon, Loader, Tooltip } from "@mantine/core";
import { IconCopy, IconEye, IconEyeOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState, type CSSProperties } from "react";

import { readStructures } from "../../api/volumes";
import type { KeptRegion, OpeningSeries, OpeningStudy, Structure } from "../../api/workstation";
import { DicomDate, ErrorBox, ModalityBadge } from "../../ui";
import { copyOf } from "../delineating/RegionActions";
import { makeRegion, numbersOf } from "../model/making";
import { useWorkspace } from "../model/store";
import { figure, seriesWords } from "../model/words";
import styles from "./panels.module.css";
import { Section } from "./Section";

const OBJECTS = new Set(["RTSTRUCT", "SEG"]);
const NONE: readonly OpeningStudy[] = [];

/** What others have outlined: structure sets and segmentations of the patient. */
export function StructuresPanel() {
  const studies = useWorkspace((state) => state.opening?.studies ?? NONE);
  const all = studies.flatMap((study) => study.series.map((series) => ({ series, study }))).filter(({ series }) => OBJECTS.has(series.Modality));
  if (!all.length) return null;
  return (
    <Section title="Structures" aside={all.length}>
      {all.map(({ series, study }) => <StructureSet key={series.SeriesInstanceUID} series={series} date={study.StudyDate} />)}
    </Section>
  );
}

function StructureSet({ series, date }: { series: OpeningSeries; date: string }) {
  const database = useWorkspace((state) => state.database);
  const uid = series.SeriesInstanceUID;
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["structures", uid, database],
    queryFn: ({ signal }) => readStructures(uid, database, signal),
    staleTime: Infinity,
  });
  return (
    <div>
      <div className={styles.seriesHead}>
        <ModalityBadge modality={series.Modality} />
        <span className={styles.grow}>{seriesWords(series)}</span>
        <span className={styles.when}><DicomDate value={date} /></span>
        {isPending && <Loader size={14} />}
      </div>
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {data?.length === 0 && <p className={styles.note}>It holds no structures.</p>}
      <ul className={styles.list}>
        {data?.map((structure) => <StructureRow key={`${structure.SOPInstanceUID} ${String(structure.number)}`} structure={structure} />)}
      </ul>
    </div>
  );
}

function isOf(region: KeptRegion, { SOPInstanceUID, number }: Structure): boolean {
  return region.rule.kind === "object" && region.rule.SOPInstanceUID === SOPInstanceUID && region.rule.number === number;
}

function StructureRow({ structure }: { structure: Structure }) {
  const region = useWorkspace((state) => state.doc.regions.find((each) => isOf(each, structure)));
  const changeRegion = useWorkspace((state) => state.changeRegion);
  const select = useWorkspace((state) => state.select);
  const [isBusy, setBusy] = useState(false);
  const isShown = region?.is_visible === true;
  const toggle = async () => {
    if (region) {
      changeRegion(region.id, { is_visible: !isShown });
      return;
    }
    setBusy(true);
    const { SOPInstanceUID, number, name, colour } = structure;
    await makeRegion({ kind: "object", SOPInstanceUID, number }, { kind: "structure", name, colour });
    setBusy(false);
  };
  const volume = region && numbersOf(region)?.volume_ml;
  return (
    <li className={styles.lineRow}>
      <Tooltip label={isShown ? "Hide" : "Show"}>
        <ActionIcon size="xs" loading={isBusy} aria-label={`${isShown ? "Hide" : "Show"} ${structure.name}`} aria-pressed={isShown} onClick={() => void toggle()}>
          {isShown ? <IconEye size={14} /> : <IconEyeOff size={14} />}
        </ActionIcon>
      </Tooltip>
      <span className={styles.swatch} style={{ "--colour": `rgb(${structure.colour.join(" ")})` } as CSSProperties} />
      <button type="button" className={styles.name} title={structure.kind} disabled={!region} onClick={() => { if (region) select(region.id); }}>
        {structure.name}
      </button>
      {region && (
        <Tooltip label="Copy to a lesion of your own, to change it">
          <ActionIcon size="xs" aria-label={`Copy ${structure.name}`} onClick={() => void copyOf(region)}><IconCopy size={14} /></ActionIcon>
        </Tooltip>
      )}
      {volume !== undefined && <span className={styles.number}>{figure(volume)} ml</span>}
    </li>
  );
}
