import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useEffect, useState, type ReactNode } from "react";

import { problemOf } from "../api/client";
import { sentence } from "./ErrorBox";

interface Undoable {
  /** What was done: "3 studies deleted." */
  message: ReactNode;
  undo: () => unknown;
  /** How long it can be taken back. */
  seconds: number;
  /** Said after it was taken back. */
  undone?: string;
}

/** Says what was done and takes it back on request, for as long as that can be. Gives the notification's id. */
export function undoable({ message, undo, seconds, undone = "Taken back." }: Undoable): string {
  const until = Date.now() + seconds * 1000;
  const take_back = async () => {
    notifications.hide(id);
    try {
      await undo();
      notifications.show({ message: undone });
    } catch (error) {
      failed("It could not be taken back", error);
    }
  };
  const id = notifications.show({
    message: <Offer message={message} until={until} undo={() => void take_back()} />,
    autoClose: seconds * 1000,
  });
  return id;
}

/** Says that something did not work, where there is no place for it in the page. */
export function failed(title: string, error: unknown): void {
  notifications.show({ color: "red", title, message: sentence(problemOf(error).detail), autoClose: 12_000 });
}

function Offer({ message, until, undo }: { message: ReactNode; until: number; undo: () => void }) {
  const [left, setLeft] = useState(() => secondsUntil(until));
  useEffect(() => {
    const timer = window.setInterval(() => {
      setLeft(secondsUntil(until));
    }, 1000);
    return () => {
      window.clearInterval(timer);
    };
  }, [until]);
  return (
    <Group gap="md" justify="space-between" wrap="nowrap">
      <Text size="md" component="div">
        {message}
      </Text>
      <Button variant="light" onClick={undo} style={{ flex: "none" }}>
        Undo ({left} s)
      </Button>
    </Group>
  );
}

function secondsUntil(instant_ms: number): number {
  return Math.max(0, Math.ceil((instant_ms - Date.now()) / 1000));
}
