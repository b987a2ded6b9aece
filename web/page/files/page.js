// Every page works without this file. With it nothing is loaded twice, what changes is followed, and a key can be sent.

import * as curve from "./curve.js";
import { download } from "./download.js";
import * as file from "./drop.js";
import * as key from "./key.js";
import { watch } from "./live.js";
import { visit } from "./visit.js";

function submit(form, submitter) {
  if (form.hasAttribute("data-key")) {
    key.use(form.querySelector("input").value.trim());
    return visit(location.href, { push: false });
  }
  if (file.isFileForm(form)) return file.score(form);
  const fields = new URLSearchParams(new FormData(form, submitter));
  const address = new URL(form.getAttribute("action"), location.href);
  if (form.method === "post") return visit(address, { method: "POST", body: fields, part: form.dataset.part ?? "main" });
  address.search = fields;
  return visit(address);
}

function isOurs(link, event) {
  const elsewhere = event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  const other = link.origin !== location.origin || link.hash || "native" in link.dataset || link.hasAttribute("download");
  return !elsewhere && !other;
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(event.target, event.submitter);
});

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-forget], [data-stop], [data-download], a[href]");
  if (!pressed) return;
  if ("forget" in pressed.dataset) {
    key.forget();
    visit(location.href, { push: false });
  } else if ("stop" in pressed.dataset) {
    file.stop(pressed.form);
  } else if ("download" in pressed.dataset) {
    if (!key.headers().Authorization) return;
    event.preventDefault();
    download(pressed);
  } else if (pressed.href && isOurs(pressed, event)) {
    event.preventDefault();
    visit(pressed.href);
  }
});

document.addEventListener("change", (event) => {
  const { form } = event.target;
  if (!form) return;
  if ("auto" in form.dataset || "sends" in event.target.dataset) form.requestSubmit();
  else if (file.isFileForm(form) && !["results", "explain", "include_inputs"].includes(event.target.name)) file.check(form);
});

for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const zone = event.target.closest?.("[data-drop]");
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("over", name === "dragenter" || name === "dragover");
    if (name === "drop") file.take(zone, event);
  });
}

addEventListener("popstate", () => {
  if (!location.hash) visit(location.href, { push: false }); // a link within the page leaves what was typed
});

function begin() {
  document.querySelectorAll("[data-curve]:not([data-alive])").forEach((figure) => {
    figure.dataset.alive = "";
    curve.enliven(figure);
  });
  watch();
}

document.addEventListener("shown", begin);
begin();
