// Long files: their parts go straight to the file store, to addresses that the service signs. The key does not.

import { headers } from "./key.js";

const LONG_BYTES = 8 * 1024 * 1024;
const TRIES = 5;
const PAUSE_MS = 1000;

const uploads = new WeakMap(); // file -> the id of its upload, which a check leaves for the scoring

export function goesDirectly(form, file) {
  return "direct" in form.dataset && file.size > LONG_BYTES;
}

export async function uploaded(file, sending) {
  if (!uploads.has(file)) uploads.set(file, await upload(file, sending));
  return uploads.get(file);
}

export function forget(file) {
  uploads.delete(file);
}

async function upload(file, sending) {
  let known = await api("POST", "v1/uploads", { size: file.size, media_type: file.type, name: file.name });
  const path = `v1/uploads/${known.id}`;
  const drop = () => api("DELETE", path).catch(() => {});
  sending.signal.addEventListener("abort", drop);
  let failures = 0;
  while (known.missing) {
    try {
      for (const part of known.parts) {
        await put(part, file, sending);
        failures = 0;
      }
    } catch (error) {
      failures += 1;
      if (!error || failures === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, failures * PAUSE_MS));
    }
    known = await api("GET", path); // with new addresses for what did not arrive
  }
  sending.signal.removeEventListener("abort", drop); // what is complete stays for the scoring
  return known.id;
}

async function api(method, path, body) {
  const sent = body ? { body: JSON.stringify(body), headers: { ...headers(), "Content-Type": "application/json" } } : { headers: headers() };
  const answer = await fetch(path, { method, ...sent });
  const said = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  return said;
}

function put(part, file, sending) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // it tells how much was sent
    const stop = () => request.abort();
    request.open(part.method, part.url);
    request.onload = () => (request.status === 200 ? resolve() : request.onerror());
    request.onerror = () => reject(new Error("The file store did not take the file. Try again in a moment."));
    request.onabort = () => reject(null);
    request.onloadend = () => sending.signal.removeEventListener("abort", stop);
    request.upload.onprogress = (event) => sending.progress((part.offset + event.loaded) / file.size);
    sending.signal.addEventListener("abort", stop);
    request.send(file.slice(part.offset, part.offset + part.size));
  });
}
