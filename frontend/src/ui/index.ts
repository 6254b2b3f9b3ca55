/** What all pages are made of. */
export { ModalityBadge, StateBadge } from "./badges";
export { confirmDestroy } from "./confirmDestroy";
export { Empty } from "./Empty";
export { ErrorBox, sentence } from "./ErrorBox";
export * from "./format";
export { useKeys, type KeyBinding } from "./keys";
export { LiveDot } from "./LiveDot";
export { imagesFirst, modalityOf } from "./modalities";
export { Page } from "./Page";
export { reasonOf, refusalOf, withoutSetting } from "./refusal";
export { STATES, type StateLook } from "./states";
export { failed, undoable } from "./undoable";
export { useNow } from "./useNow";
export { DicomDate, PersonName, Uid, When } from "./values";
