/** One request that sends some files. Not `fetch`: that does not say how much has been sent. */
import { API, ApiError, problemFrom, tellLoginNeeded, withQuery } from "../api/client";
import type { UploadResult } from "../api/types";
import type { Found } from "./walk";

export interface Sending {
  files: readonly Found[];
  database: string;
  onProgress: (sent_bytes: number) => void;
  signal: AbortSignal;
}

export type SendFiles = (sending: Sending) => Promise<UploadResult>;

/** The browser reads the files while it sends them: nothing is held in memory. */
export const sendFiles: SendFiles = ({ files, database, onProgress, signal }) =>
  new Promise((resolve, reject) => {
    const form = new FormData();
    for (const { file, path } of files) form.append("file", file, path);
    const request = new XMLHttpRequest();
    request.open("POST", withQuery(`${API}/uploads`, { database }));
    request.setRequestHeader("Accept", "application/json, application/problem+json");
    request.upload.onprogress = (event) => { onProgress(event.loaded); };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        resolve(JSON.parse(request.responseText) as UploadResult);
        return;
      }
      if (request.status === 401) tellLoginNeeded();
      reject(new ApiError(problemFrom(request.status, request.statusText, request.responseText)));
    };
    request.onerror = () => {
      reject(new ApiError({ title: "No answer", status: 0, detail: "the connection to Radfuse broke" }));
    };
    request.onabort = () => { reject(new DOMException("The upload was cancelled.", "AbortError")); };
    signal.addEventListener("abort", () => { request.abort(); }, { once: true });
    request.send(form);
  });
