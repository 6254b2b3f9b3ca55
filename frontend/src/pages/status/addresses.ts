import type { Status } from "../../api/types";

export interface Address {
  host: string;
  port: string;
  isLoopback: boolean;
}

/** "RADFUSE@127.0.0.1:11112", "127.0.0.1:11112" or "[::1]:11112"; null for "". */
export function splitAddress(address: string): Address | null {
  const place = address.slice(address.lastIndexOf("@") + 1);
  const colon = place.lastIndexOf(":");
  if (colon <= 0) return null;
  const host = place.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: place.slice(colon + 1), isLoopback: /^(?:127\.|::1$|localhost$)/.test(host) };
}

/** What goes into a mail to the engineer. */
export function asText(status: Status): string {
  const dicom = splitAddress(status.dicom_address);
  const tls = splitAddress(status.tls_address);
  const lines = [`AE title: ${status.ae_title}`];
  if (dicom !== null) lines.push(`Host: ${dicom.host}`, `DICOM port: ${dicom.port}`);
  if (tls !== null) lines.push(`DICOM port for TLS: ${tls.port}`);
  for (const database of status.databases) {
    const others = database.ae_titles.filter((title) => title !== status.ae_title);
    if (others.length > 0) lines.push(`AE title for ${database.name}: ${others.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
}
