/** Export: what, as which objects, where to. The objects are told before the first is made. */
import { Anchor, Button, Checkbox, Group, Loader, MultiSelect, ScrollArea, SegmentedControl, Stack, Table, Text, TextInput, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { modals } from "@mantine/modals";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router-dom";

import { exportFile, isOver, submitExport, useExportJob, useExportPlan, type ExportAsk, type ExportItem, type ExportObject, type ExportTo } from "../../api/exports";
import { rememberJob } from "../../api/jobs";
import { usePeers } from "../../api/peers";
import { ErrorBox, StateBadge, formatBytes, formatCounted } from "../../ui";
import { keepNow } from "../model/drafts";
import { useWorkspace } from "../model/store";
import styles from "./exporting.module.css";
import { NO_OPTIONS, isPicture, offersOf, usual, withOptions, type Offer, type Options } from "./offers";

/** Opens the sheet, for what is open now. */
export function openExport(): void {
  if (!useWorkspace.getState().doc.base) {
    notifications.show({ message: "There is nothing to export yet: open a series first.", autoClose: 3000 });
    return;
  }
  const id = modals.open({ title: "Export", size: 760, children: <ExportSheet close={() => { modals.close(id); }} /> });
}

/** The draft first: what is exported of it is what the service has. */
async function keptDraft(): Promise<void> {
  await keepNow();
  const { draft } = useWorkspace.getState();
  if (draft.conflict) throw new Error("Somebody else has changed this workspace: decide which version goes on first.");
  if (draft.is_dirty) throw new Error(draft.refusal || "Radfuse does not answer. Your draft stays here: try again in a moment.");
}

const TYPED_MS = 400;

type Where = "archive" | "peers" | "download";

export function ExportSheet({ close }: { close: () => void }) {
  const [offers] = useState(() => offersOf(useWorkspace.getState()));
  const [chosen, setChosen] = useState<readonly string[]>(() => usual(offers));
  const [where, setWhere] = useState<Where>("archive");
  const [peers, setPeers] = useState<string[]>([]);
  const [job, setJob] = useState<number | null>(null);
  const client = useQueryClient();
  const { id, database } = useWorkspace.getState();
  const [options, setOptions] = useState(NO_OPTIONS);
  // Each letter of the report asks for no other plan.
  const [settled] = useDebouncedValue(options, TYPED_MS);
  const wanted = offers.filter(({ key }) => chosen.includes(key)).map(({ item }) => item);
  const items = wanted.map((item) => withOptions(item, settled));
  const ask: ExportAsk = { items, workspace: id, ...(database && { database }) };
  const plan = useExportPlan(ask, keptDraft);
  const objects = items.length ? (plan.data?.objects ?? []) : [];
  const to: ExportTo = where === "download" ? { download: true } : { archive: true, peers: where === "peers" ? peers : [] };
  const sending = useMutation({
    mutationFn: () => submitExport({ ...ask, to }),
    onSuccess: (made) => {
      rememberJob(client, made);
      setJob(made.id);
    },
  });
  if (job !== null) return <Progress job={job} isDownload={where === "download"} close={close} />;
  const isReady = items.length > 0 && settled === options && plan.isSuccess && !plan.isFetching && objects.every(({ refusal }) => !refusal);
  return (
    <form onSubmit={(event) => { event.preventDefault(); sending.mutate(); }}>
      <Stack gap="sm">
        <ScrollArea.Autosize mah={230}>
          <Offers offers={offers} chosen={chosen} choose={setChosen} />
        </ScrollArea.Autosize>
        <Wishes items={wanted} options={options} change={(change) => { setOptions((now) => ({ ...now, ...change })); }} />
        <Destination where={where} setWhere={setWhere} peers={peers} setPeers={setPeers} />
        {items.length > 0 && <Objects objects={objects} isAsking={plan.isFetching} />}
        {(plan.error ?? sending.error) && <ErrorBox error={plan.error ?? sending.error} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={sending.isPending} disabled={!isReady || (where === "peers" && !peers.length)}>
            {isReady ? `Export ${formatCounted(countOf(objects), "object")}` : "Export"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

const countOf = (objects: readonly ExportObject[]) => objects.reduce((sum, { count }) => sum + count, 0);

interface OffersProps {
  offers: readonly Offer[];
  chosen: readonly string[];
  choose: (keys: readonly string[]) => void;
}

function Offers({ offers, chosen, choose }: OffersProps) {
  const groups = [...new Set(offers.map(({ group }) => group))];
  return (
    <div className={styles.groups}>
      {groups.map((group) => (
        <Checkbox.Group key={group} label={group} value={[...chosen]} onChange={choose}>
          {offers.filter((offer) => offer.group === group).map(({ key, label }) => (
            <Checkbox key={key} value={key} label={label} size="xs" mt={6} />
          ))}
        </Checkbox.Group>
      ))}
    </div>
  );
}

interface WishesProps {
  items: readonly ExportItem[];
  options: Options;
  change: (change: Partial<Options>) => void;
}

/** What is said of the pictures and of the report, where there will be some. */
function Wishes({ items, options: { isAnnotated, title, text }, change }: WishesProps) {
  const hasReport = items.some(({ kind }) => kind === "report");
  if (!items.some(isPicture)) return null;
  return (
    <Stack gap={6}>
      {hasReport && (
        <>
          <TextInput
            size="xs" aria-label="Title of the report" placeholder="Title of the report" value={title} maxLength={64}
            onChange={(event) => { change({ title: event.currentTarget.value }); }}
          />
          <Textarea
            size="xs" aria-label="Report in your own words" placeholder="Report in your own words: it stands above numbers and pictures" rows={2} resize="vertical" maxLength={20_000}
            value={text} onChange={(event) => { change({ text: event.currentTarget.value }); }}
          />
        </>
      )}
      <Checkbox
        size="xs" label="Write patient, date and sides on the pictures (they say then that it is burned in)" checked={isAnnotated}
        onChange={(event) => { change({ isAnnotated: event.currentTarget.checked }); }}
      />
    </Stack>
  );
}

interface DestinationProps {
  where: Where;
  setWhere: (where: Where) => void;
  peers: string[];
  setPeers: (peers: string[]) => void;
}

const PLACES: { value: Where; label: string }[] = [
  { value: "archive", label: "Archive" },
  { value: "peers", label: "Archive and peers" },
  { value: "download", label: "Files" },
];

function Destination({ where, setWhere, peers, setPeers }: DestinationProps) {
  const { data } = usePeers();
  const known = (data ?? []).filter((peer) => peer.send).map((peer) => peer.name);
  return (
    <Group gap="sm" align="center">
      <SegmentedControl size="xs" aria-label="Where to" data={PLACES} value={where} onChange={(next) => { setWhere(next as Where); }} />
      {where === "peers" && (
        <MultiSelect
          size="xs" aria-label="Peers" placeholder={known.length ? "Peers" : "No peer takes objects: see Peers"} data={known} value={peers}
          onChange={setPeers} className={styles.peers}
        />
      )}
      {where === "download" && <Text size="xs" c="dimmed">A zip of DICOM files; the archive keeps nothing of it.</Text>}
    </Group>
  );
}

function Objects({ objects, isAsking }: { objects: readonly ExportObject[]; isAsking: boolean }) {
  return (
    <Table withTableBorder verticalSpacing={4} fz="xs" aria-label="What will be made">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Object {isAsking && <Loader size={10} />}</Table.Th>
          <Table.Th>Of</Table.Th>
          <Table.Th ta="right">Count</Table.Th>
          <Table.Th ta="right">About</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {objects.map(({ item, label, object, count, bytes, refusal }) => (
          <Table.Tr key={`${String(item)} ${object} ${label}`}>
            <Table.Td>{object || "Cannot be made"}</Table.Td>
            <Table.Td className={refusal ? styles.bad : undefined}>{refusal ? `${label}: ${refusal}` : label}</Table.Td>
            <Table.Td ta="right">{refusal ? "" : count}</Table.Td>
            <Table.Td ta="right">{refusal ? "" : formatBytes(bytes)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Progress({ job, isDownload, close }: { job: number; isDownload: boolean; close: () => void }) {
  const { data } = useExportJob(job);
  const isDone = data?.state === "done";
  return (
    <Stack gap="md">
      <Group gap="sm" role="status" aria-live="polite">
        {data && <StateBadge state={data.state} />}
        {!isOver(data) && <Loader size="xs" />}
        <Text size="sm">{data?.message}</Text>
      </Group>
      <Text size="sm" c="dimmed">
        It goes on without this window: <Anchor component={Link} to={`/jobs/${String(job)}`} onClick={close}>job {job}</Anchor>.
        {!isDownload && " What goes to peers is a job of its own, once all is kept."}
      </Text>
      <Group justify="flex-end" gap="sm">
        {isDone && isDownload && <Button component="a" href={exportFile(job)} download>Save the files</Button>}
        <Button variant="default" onClick={close}>Close</Button>
      </Group>
    </Stack>
  );
}
