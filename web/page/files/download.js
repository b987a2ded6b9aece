// Downloads for visitors with a key: a plain link cannot send it.

import { headers } from "./key.js";
import { complain } from "./visit.js";

export async function download(link) {
  const answer = await fetch(link.href, { headers: headers() });
  if (!answer.ok) return complain("This file cannot be downloaded any more.");
  const saved = document.createElement("a");
  saved.href = URL.createObjectURL(await answer.blob());
  saved.download = link.download || link.dataset.download;
  saved.click();
  setTimeout(() => URL.revokeObjectURL(saved.href), 60_000);
}
