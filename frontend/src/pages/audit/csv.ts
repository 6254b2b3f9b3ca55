/** Rows as a CSV file (RFC 4180) that spreadsheets open as text. */

/** A spreadsheet takes what begins so for a formula; what a stranger typed must not become one. */
const FORMULA = /^[=+\-@\t\r]/;

export function csvOf(header: string[], rows: (string | number)[][]): string {
  return [header, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

function field(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Let the browser save a text as a file. */
export function saveText(name: string, type: string, text: string): void {
  saveBlob(name, new Blob(["\uFEFF", text], { type: `${type};charset=utf-8` }));
}

export function saveBlob(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download reads the blob after this call has returned.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
