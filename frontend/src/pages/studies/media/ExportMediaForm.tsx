/** A file-set with its DICOMDIR, to be burnt or carried: which medium, as what; the plan is told before it is made. */
import { Alert, Button, Checkbox, Group, SegmentedControl, Select, Stack, Switch, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { IconAlertTriangle, IconDisc } from "@tabler/icons-react";
import { useState } from "react";

import { rememberJob } from "../../../api/jobs";
import {
  submitMediaExport,
  useMediaPlan,
  useMediaPlaces,
  useMediaProfiles,
  type MediaForm,
  type MediaPlan,
  type MediaProfile,
} from "../../../api/media";
import { hasRole, useSession } from "../../../app/session";
import { Patience } from "../../../app/Waiting";
import { ErrorBox, formatCounted } from "../../../ui";
import { ChosenWords } from "../ChosenWords";
import type { Chosen } from "../chosen";
import { ExportProgress } from "./ExportProgress";
import { PlanView } from "./PlanView";
import { ServerFolder, type Where } from "./ServerFolder";
import { kindOf, mediumOf, profileGroups, sizeOptions, usualProfile } from "./media";
import styles from "./media.module.css";

interface FormProps {
  chosen: Chosen;
  onClose: () => void;
}

/** The medium of the last time is most often that of the next. */
let lastProfile = "";

export function ExportMediaForm({ chosen, onClose }: FormProps) {
  const { data: profiles, error, refetch } = useMediaProfiles();
  const [made, setMade] = useState<{ job: number; plan: MediaPlan } | null>(null);
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (made) return <ExportProgress {...made} onClose={onClose} />;
  const first = profiles && usualProfile(profiles, chosen.size_bytes, lastProfile);
  if (!first) return <Patience />;
  return <Choice {...{ chosen, onClose, profiles, first }} onMade={(job, plan) => { setMade({ job, plan }); }} />;
}

interface ChoiceProps extends FormProps {
  profiles: MediaProfile[];
  first: MediaProfile;
  onMade: (job: number, plan: MediaPlan) => void;
}

function Choice({ chosen, profiles, first, onClose, onMade }: ChoiceProps) {
  const client = useQueryClient();
  const [profile, setProfile] = useState(first);
  const [size, setSize] = useState("");
  const [form, setForm] = useState<MediaForm>("zip");
  const [withLoss, setWithLoss] = useState(false);
  const [skipRefused, setSkipRefused] = useState(false);
  const [where, setWhere] = useState<Where | null>(null);
  const wanted = {
    ...chosen.selection,
    profile: profile.name,
    with_loss: withLoss && profile.is_lossy_possible,
    medium_bytes: size ? Number(size) : null,
  };
  const plan = useMediaPlan(wanted);
  const writing = useMutation({
    mutationFn: () => submitMediaExport({ ...wanted, form, skip_refused: skipRefused, ...(form === "folder" && where) }),
    onSuccess: (job) => {
      lastProfile = profile.name;
      rememberJob(client, job);
      if (plan.data) onMade(job.id, plan.data);
    },
  });
  const pick = (name: string | null) => {
    const picked = profiles.find((each) => each.name === name);
    if (!picked) return;
    setProfile(picked);
    setSize("");
    setSkipRefused(false);
    if (form === "iso" && !picked.image) setForm("zip");
  };
  const refused = plan.data?.refused ?? 0;
  const isReady = plan.isSuccess && plan.data.objects > 0 && (refused === 0 || skipRefused) && (form !== "folder" || where !== null);
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (isReady) writing.mutate(); }}>
      <Stack gap="md">
        <ChosenWords chosen={chosen} />
        <Group gap="md" align="flex-start" grow preventGrowOverflow={false}>
          <ProfileField profiles={profiles} profile={profile} onPick={pick} />
          <Select
            label={`Size of one ${mediumOf(profile)}`}
            data={sizeOptions(profile)}
            value={size}
            onChange={(value) => { setSize(value ?? ""); }}
            allowDeselect={false}
            description="What does not fit goes on more of them, study by study"
          />
        </Group>
        <FormField form={form} profile={profile} onPick={setForm} />
        {form === "folder" && <ServerFolder use="export" where={where} onWhere={setWhere} />}
        {profile.is_lossy_possible && <LossField isOn={withLoss} onChange={setWithLoss} />}
        {plan.error ? <ErrorBox error={plan.error} onRetry={() => void plan.refetch()} /> : <PlanView plan={plan.data} profile={profile} />}
        {refused > 0 && (
          <Checkbox
            label={`Leave out the ${formatCounted(refused, "object")} that ${refused === 1 ? "is" : "are"} refused; README.TXT says so`}
            checked={skipRefused}
            onChange={(event) => { setSkipRefused(event.currentTarget.checked); }}
            disabled={plan.data?.objects === 0}
          />
        )}
        {writing.error && <ErrorBox error={writing.error} />}
        <Group justify="space-between" gap="sm">
          <Text c="dimmed" size="sm">The archive keeps the originals as they are.</Text>
          <Group gap="sm">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" leftSection={<IconDisc size={16} />} disabled={!isReady} loading={writing.isPending}>
              {form === "folder" ? "Write" : form === "iso" ? "Make the image" : "Make the zip file"}
              {(plan.data?.volumes.length ?? 0) > 1 && form !== "folder" ? "s" : ""}
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

interface ProfileFieldProps {
  profiles: MediaProfile[];
  profile: MediaProfile;
  onPick: (name: string | null) => void;
}

function ProfileField({ profiles, profile, onPick }: ProfileFieldProps) {
  return (
    <Select
      label="Medium"
      data={profileGroups(profiles)}
      value={profile.name}
      onChange={onPick}
      allowDeselect={false}
      searchable
      openOnFocus={false}
      maxDropdownHeight={320}
      data-autofocus
      description={`Profile ${profile.name}, ${profile.file_system}`}
      nothingFoundMessage="No medium of this name"
      renderOption={({ option }) => {
        const each = profiles.find(({ name }) => name === option.value);
        return (
          <span className={styles.option}>
            {each ? kindOf(each) : option.label}
            <small>{option.value}</small>
          </span>
        );
      }}
    />
  );
}

interface FormFieldProps {
  form: MediaForm;
  profile: MediaProfile;
  onPick: (form: MediaForm) => void;
}

const FORM_WORDS: Record<MediaForm, string> = {
  zip: "To be unpacked onto the medium: everything at its root, nothing around it.",
  iso: "To be burnt as it is, or mounted.",
  folder: "Where the server has a disk, a stick or a share mounted.",
};

function FormField({ form, profile, onPick }: FormFieldProps) {
  const isAdministrator = hasRole(useSession(), "administrator");
  const { data: folders } = useMediaPlaces({ use: "export" }, isAdministrator);
  const data: { value: MediaForm; label: string; disabled?: boolean }[] = [
    { value: "zip", label: "Zip file" },
    { value: "iso", label: profile.image.startsWith("ISO") ? "ISO image" : "Disc image", disabled: !profile.image },
  ];
  if (folders && folders.places.length > 0) data.push({ value: "folder", label: "Folder on the server" });
  return (
    <div>
      <Text size="sm" fw={500} mb={4}>As</Text>
      <SegmentedControl fullWidth aria-label="As" data={data} value={form} onChange={(next) => { onPick(next as MediaForm); }} />
      <Text size="xs" c="dimmed" mt={4}>
        {FORM_WORDS[form]}
        {!profile.image && ` There is no image of a ${mediumOf(profile)}: it is a drive with files.`}
      </Text>
    </div>
  );
}

function LossField({ isOn, onChange }: { isOn: boolean; onChange: (isOn: boolean) => void }) {
  return (
    <Stack gap="xs">
      <Switch
        label="Compress images with loss"
        checked={isOn}
        onChange={(event) => { onChange(event.currentTarget.checked); }}
      />
      {isOn && (
        <Alert color="yellow" icon={<IconAlertTriangle size={18} />} p={8} role="alert">
          The copies are changed for good: less to carry, but values are no longer exact. Do not measure or plan on them.
          They are told apart by new UIDs and marked as lossy.
        </Alert>
      )}
    </Stack>
  );
}
