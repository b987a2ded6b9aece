// A file to score: checked as soon as it is chosen or dropped, and sent when the visitor says so.

import { visit } from "./visit.js";

const START_BYTES = 1024 * 1024;
const PACKED = [[0x1f, 0x8b], [0x50, 0x4b], [0x50, 0x41, 0x52, 0x31], [0xff, 0xfe], [0xfe, 0xff]];
const NEWLINE = 10;

let stopping = new AbortController();

export function isFileForm(form) {
  return form.hasAttribute("data-file");
}

export async function check(form) {
  const file = form.elements.file.files[0];
  if (!file) return;
  const fields = new FormData(form);
  const start = await startOf(file);
  fields.set("file", start, file.name);
  const query = new URLSearchParams({ model: fields.get("model"), ...(start === file ? {} : { start: "1" }) });
  await send(form, `check?${query}`, fields, "check");
}

export async function score(form) {
  await send(form, "score", new FormData(form), "main");
}

async function send(form, address, fields, part) {
  const line = form.querySelector("#sending");
  const bar = form.querySelector("#sent");
  stopping.abort();
  stopping = new AbortController();
  const { signal } = stopping;
  line.hidden = false;
  bar.removeAttribute("value");
  const progress = (share) => (share < 1 ? (bar.value = share) : bar.removeAttribute("value"));
  await visit(address, { method: "POST", body: fields, part, sending: { progress, signal } });
  if (!signal.aborted) line.hidden = true;
}

// Texts are checked by their first lines; what is packed, and Parquet, only as a whole.
async function startOf(file) {
  if (file.size <= START_BYTES) return file;
  const start = new Uint8Array(await file.slice(0, START_BYTES).arrayBuffer());
  if (PACKED.some((mark) => mark.every((byte, at) => start[at] === byte))) return file;
  return new Blob([start.subarray(0, start.lastIndexOf(NEWLINE) + 1)], { type: file.type });
}

export function stop(form) {
  stopping.abort();
  form.querySelector("#sending").hidden = true;
}

export function take(zone, event) {
  const input = zone.querySelector("input");
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
