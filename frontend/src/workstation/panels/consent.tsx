/** A deliberate yes to what is refused otherwise: asked in words, recorded with the session. */
import { Button, Checkbox, Group, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useState } from "react";

import type { View } from "../../api/workstation";
import type { SeriesProblem } from "../model/state";
import { useWorkspace } from "../model/store";

interface Question {
  title: string;
  yes: string;
  change: Partial<View>;
}

const QUESTIONS: Record<string, Question | undefined> = {
  allow_other_patient: {
    title: "Images of another patient",
    yes: "I know that these are images of another patient",
    change: { allow_other_patient: true },
  },
  allow_other_side: {
    title: "The other side of the body",
    yes: "I know that one shows the left, the other the right side",
    change: { allow_other_side: true },
  },
  allow_failed: {
    title: "A registration that failed its check",
    yes: "I know that this registration failed its check",
    change: { allow_failed: true },
  },
};

export function isConsentable(problem: SeriesProblem): boolean {
  return QUESTIONS[problem.setting] !== undefined;
}

export function askConsent(series: string, problem: SeriesProblem): void {
  const question = QUESTIONS[problem.setting];
  if (!question) return;
  const id = modals.open({
    title: question.title,
    children: <Consent {...{ series, problem, question }} close={() => { modals.close(id); }} />,
  });
}

interface ConsentProps {
  series: string;
  problem: SeriesProblem;
  question: Question;
  close: () => void;
}

function Consent({ series, problem, question, close }: ConsentProps) {
  const [isMeant, setMeant] = useState(false);
  const agree = () => {
    const { consent, changeView } = useWorkspace.getState();
    consent({ what: `${problem.setting} ${series}`, sentence: problem.sentence });
    changeView(series, question.change);
    close();
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); agree(); }}>
      <Stack gap="md">
        <Text>{problem.sentence}</Text>
        <Checkbox label={question.yes} checked={isMeant} data-autofocus onChange={(event) => { setMeant(event.currentTarget.checked); }} />
        <Text size="sm" c="dimmed">
          Your name, the time and this sentence are kept with the workspace and in the access log.
        </Text>
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" color="orange" disabled={!isMeant}>Show it all the same</Button>
        </Group>
      </Stack>
    </form>
  );
}
