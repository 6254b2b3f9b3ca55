import { Badge, Divider, Group, NavLink, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router-dom";

import { useChangeSettings, useSettings } from "../../api/admin";
import { problemOf } from "../../api/client";
import type { Setting } from "../../api/types";
import { ErrorBox, formatCounted, Page, reasonOf, useKeys } from "../../ui";
import { changed, keepDraft, keptDraft, type Draft, type SettingValue } from "./draft";
import { SaveBar } from "./SaveBar";
import { foundSettings, sectionIdOf, sectionsOf, type Section } from "./sections";
import { SettingRow } from "./SettingRow";
import classes from "./settings.module.css";
import { TlsPanel } from "./TlsPanel";

export default function SettingsPage() {
  const { data, error, refetch } = useSettings();
  return (
    <Page title="Settings" subtitle="As in radfuse.toml in the data folder" fill>
      {error !== null && data === undefined && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {error === null && data === undefined && <Stack p="lg">{[1, 2, 3, 4].map((each) => <Skeleton key={each} h={56} />)}</Stack>}
      {data !== undefined && <Sections settings={data} />}
    </Page>
  );
}

function Sections({ settings }: { settings: Setting[] }) {
  const sections = sectionsOf(settings);
  const [words, setWords] = useState("");
  const section = useShownSection(sections, words);
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Draft>(keptDraft);
  // Fields that keep what is typed begin anew after saving or discarding.
  const [round, setRound] = useState(0);
  const save = useChangeSettings();
  const refused = save.error === null ? undefined : problemOf(save.error);

  function take(next: Draft): void {
    keepDraft(next);
    setDraft(next);
  }
  function begin(): void {
    take({});
    save.reset();
    setRound(round + 1);
  }
  function saveAll(): void {
    save.mutate(draft, {
      onSuccess: () => {
        begin();
        notifications.show({ message: `${formatCounted(Object.keys(draft).length, "change")} saved. Restart Radfuse to use what is marked “after restart”.` });
      },
      onError: (problem) => {
        const id = sectionIdOf(sections, problemOf(problem).setting ?? "");
        if (id === undefined) return;
        setWords("");
        void navigate(`/settings/${id}`);
      },
    });
  }
  useKeys([{ keys: "mod+s", label: "Save the changes", whileTyping: true, run: () => { if (Object.keys(draft).length > 0) saveAll(); } }]);

  const errorAt = (setting: Setting): string | undefined => {
    const key = refused?.setting;
    return key === setting.key || key?.startsWith(`${setting.key}.`) === true ? reasonOf(save.error) : undefined;
  };
  const isShownInline = sections.some((each) => each.settings.some((setting) => errorAt(setting) !== undefined));

  return (
    <div className={classes.frame}>
      <SectionList sections={sections} draft={draft} current={section?.id} words={words} onWords={setWords} />
      <div className={classes.main}>
        <div className={classes.scroll} key={`${section?.id ?? ""} ${round}`}>
          {section !== undefined && (
            <section className={classes.section} aria-label={section.title}>
              <Title order={2}>{section.title}</Title>
              <Text c="dimmed" mb="lg">{section.about}</Text>
              {section.id === "tls" && <TlsPanel />}
              <Divider />
              {section.settings.map((setting) => (
                <SettingRow
                  key={setting.key}
                  setting={setting}
                  draft={draft}
                  error={errorAt(setting)}
                  onChange={(which: Setting, value: SettingValue | null) => { take(changed(draft, which, value)); }}
                />
              ))}
            </section>
          )}
        </div>
        <SaveBar
          count={Object.keys(draft).length}
          isSaving={save.isPending}
          error={isShownInline ? null : save.error}
          onSave={saveAll}
          onDiscard={begin}
        />
      </div>
    </div>
  );
}

/** The section in the address, or what was searched for. */
function useShownSection(sections: Section[], words: string): Section | undefined {
  const wanted = useParams()["section"];
  if (words.trim() === "") return sections.find((each) => each.id === wanted) ?? sections[0];
  const settings = foundSettings(sections, words);
  const about = settings.length === 0 ? "No setting has all of these words." : `${formatCounted(settings.length, "setting")} with these words.`;
  return { id: "found", title: "Found", about, settings };
}

interface ListProps {
  sections: Section[];
  draft: Draft;
  current: string | undefined;
  words: string;
  onWords: (words: string) => void;
}

function SectionList({ sections, draft, current, words, onWords }: ListProps) {
  return (
    <nav className={classes.list} aria-label="Sections of the settings">
      <TextInput
        className={classes.search}
        data-page-search
        type="search"
        aria-label="Find a setting"
        placeholder="Find a setting"
        leftSection={<IconSearch size={16} />}
        value={words}
        onChange={(event) => { onWords(event.currentTarget.value); }}
        onKeyDown={(event) => { if (event.key === "Escape") onWords(""); }}
      />
      {sections.map(({ id, title, settings }) => {
        const changes = settings.filter(({ key }) => key in draft).length;
        const waiting = settings.some((setting) => setting.needs_restart);
        return (
          <NavLink
            key={id}
            component={Link}
            to={`/settings/${id}`}
            onClick={() => { onWords(""); }}
            label={title}
            active={id === current}
            aria-current={id === current ? "page" : undefined}
            rightSection={
              <Group gap={4}>
                {changes > 0 && <Badge size="sm" aria-label={`${formatCounted(changes, "change")} not saved`}>{changes}</Badge>}
                {waiting && <Badge size="sm" color="yellow" title="Some of it is used after a restart">restart</Badge>}
              </Group>
            }
          />
        );
      })}
    </nav>
  );
}
