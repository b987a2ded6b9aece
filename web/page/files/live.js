// Keeps what changes by itself up to date: lists and jobs, and answers that are not there yet.

import { ask, show, visit } from "./visit.js";

const SLOWEST_SECONDS = 15;
let timer = 0;
let failures = 0;

export function watch() {
  clearTimeout(timer);
  const again = document.querySelector("form[data-again]");
  const live = document.querySelector("[data-live]");
  if (again) later(again.dataset.again, () => again.requestSubmit());
  else if (live) later(live.dataset.live, () => refresh(live));
}

function later(seconds, act) {
  const patience = Math.min(Number(seconds) * 2 ** failures, SLOWEST_SECONDS);
  timer = setTimeout(act, patience * 1000);
}

async function refresh(live) {
  if (document.hidden || isBeingUsed(live)) return watch();
  try {
    const { page } = await ask("GET", location.href);
    failures = 0;
    const found = page.getElementById("live");
    if (!document.contains(live)) return watch();
    if (!found) return show(page, "main");
    if (!found.hasAttribute("data-live")) return visit(location.href, { push: false });
    if (found.outerHTML !== live.outerHTML) show(page, "live");
    else watch();
  } catch {
    failures += 1;
    watch();
  }
}

function isBeingUsed(live) {
  return live.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
}
