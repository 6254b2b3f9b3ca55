import { Button } from "@mantine/core";
import { IconDownload, IconExternalLink } from "@tabler/icons-react";

import { attachedAddress, readDocument, type DocumentFacts } from "../../../api/documents";
import styles from "../images.module.css";
import type { Placed } from "../model";
import { OneObject } from "../OneObject";
import { References } from "./References";

/** What is no picture: a report, a PDF, a list of objects. */
export function DocumentTile({ placed }: { placed: Placed }) {
  return (
    <OneObject placed={placed} kind="documents" read={readDocument}>
      {(facts, database) => <Shown facts={facts} database={database} />}
    </OneObject>
  );
}

function Shown({ facts, database }: { facts: DocumentFacts; database: string }) {
  if (facts.kind === "pdf") return <Pdf facts={facts} database={database} />;
  if (facts.kind === "report") return <Page facts={facts} />;
  return (
    <div className={styles.document}>
      <h3>{facts.title || facts.sop_class_name}</h3>
      <p className={styles.quiet}>{facts.sop_class_name}</p>
      <dl>
        {facts.lines.map(({ name, text }) => (
          <div key={`${name} ${text}`}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {facts.kind === "file" && <Save address={attachedAddress(facts.SOPInstanceUID, database)} label="Save the file" />}
      <References facts={facts} database={database} />
    </div>
  );
}

/**
 * The service's page in a frame that may do nothing: no script, no address, no form. It is white as paper is, and of
 * an origin of its own.
 */
function Page({ facts }: { facts: DocumentFacts }) {
  return <iframe className={styles.frame} title={facts.title || "Structured report"} sandbox="" srcDoc={facts.page} />;
}

/** The browser's own viewer: it is a program of its own, and the service answers nothing but a PDF as one. */
function Pdf({ facts, database }: { facts: DocumentFacts; database: string }) {
  const address = attachedAddress(facts.SOPInstanceUID, database);
  return (
    <>
      <iframe className={styles.frame} title={facts.title || "PDF"} src={address} />
      <div className={styles.controls}>
        <span className={styles.grow} />
        <Button component="a" size="compact-xs" variant="default" href={address} target="_blank" rel="noreferrer" leftSection={<IconExternalLink size={12} />}>
          In a window of its own
        </Button>
        <Save address={address} label="Save" />
      </div>
    </>
  );
}

function Save({ address, label }: { address: string; label: string }) {
  return (
    <Button component="a" size="compact-xs" variant="default" href={address} download leftSection={<IconDownload size={12} />}>
      {label}
    </Button>
  );
}
