/** Where pictures of objects are. */
interface ImagePlace {
  StudyInstanceUID: string;
  SeriesInstanceUID: string;
  SOPInstanceUID: string;
}

/** A small picture of an object, or of one of its frames. */
export function thumbnailOf(place: ImagePlace, frame: number | undefined, database: string): string {
  const prefix = database ? `/databases/${encodeURIComponent(database)}` : "";
  const { StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID } = place;
  const path = `/dicom-web/studies/${StudyInstanceUID}/series/${SeriesInstanceUID}/instances/${SOPInstanceUID}`;
  return `${prefix}${path}${frame ? `/frames/${String(frame)}` : ""}/thumbnail`;
}
