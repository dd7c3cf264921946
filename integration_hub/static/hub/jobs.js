// A background job that tells how far it is.  The page works without this: it shows the state of its moment.
"use strict";

const job = document.getElementById("job");

function show(now) {
  const over = now.total - now.waiting;
  const bar = job.querySelector("progress");
  bar.max = now.total || 1;
  bar.value = over;
  job.querySelector("[data-over]").textContent = over;
  job.querySelector("[data-total]").textContent = now.total;
  for (const name of ["done", "failed", "waiting"]) job.querySelector(`[data-count="${name}"]`).textContent = now[name];
}

async function watch(wait = 700) {
  if (!document.hidden) {
    const answer = await fetch(job.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) {
      const now = await answer.json();
      show(now);
      if (!now.waiting) {
        job.querySelector("[data-finished]").hidden = false;
        job.querySelector("[data-stop]")?.remove();
        return;
      }
    }
  }
  setTimeout(() => watch(Math.min(wait * 1.2, 4000)), wait);
}

if (job?.hasAttribute("data-running")) watch();
