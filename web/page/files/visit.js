// Asks the server for a page, and shows it or a part of it in place of what is there.

import { headers } from "./key.js";

const latest = new Map(); // part -> the newest request for it; answers to older ones are dropped

export function ask(method, address, body = null, sending = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // it tells how much was sent, and parses without running anything
    request.open(method, address);
    request.responseType = "document";
    Object.entries(headers()).forEach(([name, value]) => request.setRequestHeader(name, value));
    request.onload = () =>
      request.response?.getElementById("main")
        ? resolve({ page: request.response, address: request.responseURL })
        : reject(new Error("The service could not do this. Try again in a moment."));
    request.onerror = () => reject(new Error("The service does not answer. Try again in a moment."));
    request.onabort = () => reject(null);
    request.upload.onprogress = (event) => sending.progress?.(event.loaded / event.total);
    sending.signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

export async function visit(address, { method = "GET", body = null, part = "main", push = true, sending } = {}) {
  const asked = Symbol();
  latest.set(part, asked);
  const place = document.getElementById(part);
  place?.setAttribute("aria-busy", "true");
  try {
    const answer = await ask(method, address, body, sending);
    if (latest.get(part) !== asked) return;
    if (part === "main" && push) history.pushState(null, "", answer.address);
    show(answer.page, answer.page.getElementById(part) ? part : "main");
  } catch (error) {
    if (latest.get(part) !== asked || !error) return;
    complain(error.message);
    document.dispatchEvent(new Event("shown"));
  } finally {
    document.getElementById(part)?.removeAttribute("aria-busy");
  }
}

export function show(page, part) {
  const focused = document.activeElement?.id;
  const before = document.getElementById(part);
  const said = spoken(before);
  document.title = page.title;
  if (part === "main") {
    replace("nav", page);
    replace("main", page);
    window.scrollTo(0, 0);
    document.getElementById("main").focus({ preventScroll: true });
  } else {
    replace(part, page);
    if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (document.activeElement?.form?.id === "form") reveal(document.getElementById("answer"));
  }
  const words = spoken(document.getElementById(part));
  if (words && words !== said) document.getElementById("said").textContent = words;
  document.dispatchEvent(new Event("shown"));
}

// On a narrow screen the answer is below the form.
function reveal(answer) {
  if (answer.getBoundingClientRect().top > innerHeight / 2) answer.scrollIntoView();
}

function replace(id, page) {
  document.getElementById(id).replaceWith(document.importNode(page.getElementById(id), true));
}

function spoken(part) {
  const found = part?.matches("[data-say]") ? part : part?.querySelector("[data-say]");
  return found?.dataset.say ?? "";
}

export function complain(message) {
  document.getElementById("complaint")?.remove();
  const box = document.createElement("p");
  box.id = "complaint";
  box.className = "box wrong";
  box.setAttribute("role", "alert");
  box.textContent = message;
  document.getElementById("main").prepend(box);
}
