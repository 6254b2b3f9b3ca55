import { UnstyledButton } from "@mantine/core";

import type { DocumentFacts, DocumentReference } from "../../../api/documents";
import { Thumbnail } from "../../../pages/studies/panel/Thumbnail";
import { thumbnailOf } from "../address";
import styles from "../images.module.css";
import { showImages, sightOf } from "../model";
import { usePlaced } from "../usePlaced";

/** The objects that a document names: a click shows each beside it. */
export function References({ facts, database }: { facts: DocumentFacts; database: string }) {
  const { references, unlisted } = facts;
  if (!references.length) return null;
  return (
    <>
      <h4>{references.length + unlisted === 1 ? "One object" : `${String(references.length + unlisted)} objects`}</h4>
      <ul className={styles.references}>
        {references.map((each) => <Reference key={each.SOPInstanceUID} reference={each} database={database} />)}
      </ul>
      {unlisted > 0 && <p className={styles.quiet}>and {unlisted} more</p>}
    </>
  );
}

function Reference({ reference, database }: { reference: DocumentReference; database: string }) {
  const placed = usePlaced(reference.SeriesInstanceUID);
  const frame = reference.frames[0];
  if (!reference.SeriesInstanceUID) {
    return (
      <li className={styles.reference} data-missing>
        <Thumbnail address="" modality="" size_px={56} />
        <span className={styles.quiet}>Not in this archive</span>
      </li>
    );
  }
  const isPicture = placed !== undefined && sightOf(placed.series) === "stack";
  const words = [
    reference.SeriesDescription || reference.Modality,
    reference.frames.length ? `frame ${reference.frames.join(", ")}` : "",
  ];
  return (
    <li>
      <UnstyledButton
        className={styles.reference} disabled={!placed}
        onClick={() => { showImages(reference.SeriesInstanceUID, { instance: reference.SOPInstanceUID, frame }, true); }}
      >
        <Thumbnail address={isPicture ? thumbnailOf(reference, frame, database) : ""} modality={reference.Modality} size_px={56} />
        <span>
          <b>{reference.Modality}</b> {words.filter(Boolean).join(", ")}
        </span>
      </UnstyledButton>
    </li>
  );
}
