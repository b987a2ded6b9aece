// A file to score: checked as soon as it is chosen or dropped, and sent when the visitor says so.

import { forget, goesDirectly, uploaded } from "./direct.js";
import { complain, visit } from "./visit.js";

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
  const start = await startOf(file);
  const query = new URLSearchParams({ model: form.elements.model.value, ...(start === file ? {} : { start: "1" }) });
  await send(form, `check?${query}`, start, "check");
}

export async function score(form) {
  const file = form.elements.file.files[0];
  await send(form, "score", file, "main");
  forget(file); // an upload is for one batch
}

async function send(form, address, file, part) {
  const line = form.querySelector("#sending");
  const bar = form.querySelector("#sent");
  stopping.abort();
  stopping = new AbortController();
  const { signal } = stopping;
  line.hidden = false;
  bar.removeAttribute("value");
  const progress = (share) => (share < 1 ? (bar.value = share) : bar.removeAttribute("value"));
  const sending = { progress, signal };
  try {
    const body = await bodyOf(form, file, sending);
    if (!signal.aborted) await visit(address, { method: "POST", body, part, sending });
  } catch (error) {
    if (error && !signal.aborted) complain(error.message);
  }
  if (!signal.aborted) line.hidden = true;
}

async function bodyOf(form, file, sending) {
  const fields = new FormData(form);
  if (!goesDirectly(form, file)) {
    fields.set("file", file, form.elements.file.files[0].name);
    return fields;
  }
  const options = [...fields].filter(([name, value]) => name !== "file" && value !== "");
  const typed = options.map(([name, value]) => [name, value === "true" || value]);
  const body = { ...Object.fromEntries(typed), upload: await uploaded(file, sending) };
  return new Blob([JSON.stringify(body)], { type: "application/json" });
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
