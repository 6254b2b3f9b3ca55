/** Everything of media that is read when it is first needed: one file. */
export { ExportMediaForm } from "./ExportMediaForm";
export { ImportMediaForm } from "./ImportMediaForm";
export { MediaOfJob } from "./MediaOfJob";
