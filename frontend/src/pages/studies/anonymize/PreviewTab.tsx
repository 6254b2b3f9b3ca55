import { Alert, Loader, Switch, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { previewAnonymization } from "../../../api/anonymizations";
import { getInstances, getStudy, type Place } from "../../../api/studies";
import type { PreviewedElement } from "../../../api/types";
import { Empty, ErrorBox, sentence } from "../../../ui";
import type { Chosen } from "../chosen";
import styles from "./anonymize.module.css";
import { namesOf, type Choice } from "./options";

/** What would become of one object, the first, element by element. */
export function PreviewTab({ chosen, choice }: { chosen: Chosen; choice: Choice }) {
  const [isAll, setAll] = useState(false);
  const { data, error, refetch, isPlaceholderData } = usePreview(chosen, namesOf(choice));
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (!data) return <div className={styles.waiting}><Loader size={18} /></div>;
  const shown = data.elements.filter(({ became }) => isAll || became !== "kept");
  return (
    <div className={styles.preview} data-stale={isPlaceholderData || undefined}>
      {data.warnings.map((warning) => (
        <Alert key={warning} color="yellow" p={8}>{sentence(warning)}</Alert>
      ))}
      {data.elements.length > 0 && (
        <div className={styles.previewHead}>
          <Text c="dimmed" size="sm">The first object, before and after</Text>
          <Switch size="xs" label="Also what stays" checked={isAll} onChange={(event) => { setAll(event.currentTarget.checked); }} />
        </div>
      )}
      {data.elements.length > 0 && shown.length === 0 && <Empty title="Nothing changes" />}
      {shown.length > 0 && <Elements elements={shown} />}
    </div>
  );
}

function Elements({ elements }: { elements: PreviewedElement[] }) {
  return (
    <div className={styles.elements} tabIndex={0} role="region" aria-label="Before and after">
      <table>
        <thead>
          <tr><th>Attribute</th><th>Before</th><th>After</th></tr>
        </thead>
        <tbody>
          {elements.map(({ element, tag, before, after, became }) => (
            <tr key={element}>
              <td title={`${element} ${tag}`}>{element}</td>
              <td>{before}</td>
              <td data-became={became}>{after || became}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function usePreview(chosen: Chosen, options: string[]) {
  const { selection } = chosen;
  return useQuery({
    queryKey: ["anonymization", selection, options],
    queryFn: async ({ signal }) => previewAnonymization(await firstOf(chosen, signal), options, signal),
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
}

/** The first object of what is chosen. */
async function firstOf({ selection }: Chosen, signal: AbortSignal): Promise<Place> {
  const database = selection.database ?? "";
  const instance = selection.instances?.[0];
  if (instance) return { ...instance, database };
  const study = selection.series?.[0]?.study ?? selection.studies?.[0] ?? "";
  const first = (await getStudy({ study, database }, signal)).series[0]?.SeriesInstanceUID;
  const series = selection.series?.[0]?.series ?? first ?? "";
  const instances = await getInstances({ study, series, database }, signal);
  return { study, series, instance: instances[0]?.SOPInstanceUID ?? "", database };
}
