// The exception list by keyboard, and a case that tells how far it is.  Every page works without this.
"use strict";

const page = document.querySelector("[data-keys]");
const said = document.getElementById("said");
const keys = document.getElementById("keys");
const PLACE = "exceptions:current";

function say(text) {
  said.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.textContent = ""; }, 6000);
}

/* ---- the list ---- */

const rows = () => [...document.querySelectorAll("tr[data-case]")];
const current = () => document.querySelector("tr[data-case][aria-current]");
const linkOf = (row) => row.querySelector(".ex-reason a");
const boxes = () => [...document.querySelectorAll("input[name=case], input[name=root]")];

function goTo(row) {
  if (!row) return;
  current()?.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  linkOf(row).focus();
  row.scrollIntoView({ block: "nearest" });
  sessionStorage.setItem(PLACE, row.dataset.case);
}

function step(by) {
  const all = rows();
  const at = all.indexOf(current());
  goTo(all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]);
}

function tally() {
  const chosen = boxes().filter((box) => box.checked).length;
  document.querySelectorAll("[data-chosen]").forEach((place) => { place.textContent = chosen; });
  const all = document.querySelector("[data-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  }
}

function tick(row) {
  const box = row?.querySelector("input[name=case], input[name=root]");
  if (box) { box.checked = !box.checked; tally(); }
}

async function take() {
  const form = document.getElementById("bulk");
  const button = form?.querySelector("button[value='exceptions.take']");
  const ticked = boxes().filter((box) => box.checked);
  const chosen = ticked.length ? ticked : boxes().filter((box) => box.closest("tr") === current());
  if (!button || !chosen.length) return;
  const body = new URLSearchParams({ action: button.value, csrfmiddlewaretoken: form.csrfmiddlewaretoken.value, back: form.elements.back.value });
  chosen.forEach((box) => body.append(box.name, box.value));
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { Accept: "application/json" } });
  if (!answer.ok) { say(`${answer.status} ${answer.statusText}`); return; }
  const { results, count } = await answer.json();
  for (const result of results) {
    const place = document.querySelector(`tr[data-case="${result.case}"] [data-who]`);
    if (place && result.ok) place.textContent = result.who || "–";
  }
  const bad = results.filter((result) => !result.ok);
  say(bad.length ? bad[0].text : `${results[0].text}${count > 1 ? ` (${count})` : ""}`);
}

/* ---- the page of a case ---- */

function firstFix() {
  const fix = document.querySelector(".ex-fix[open], .ex-fix") || document.getElementById("solve");
  if (!fix) return;
  if (fix.matches("details")) fix.open = true;
  const wanted = ["[aria-invalid]", "input:checked", "input:not([type=hidden]), select, textarea", "button", "summary"];
  const control = wanted.map((selector) => fix.querySelector(selector)).find(Boolean);
  control?.focus();
  fix.scrollIntoView({ block: "nearest" });
}

function tell(place, now) {
  place.querySelector("progress").max = now.total;
  place.querySelector("progress").value = now.released;
  place.querySelector("[data-released]").textContent = now.released;
  place.querySelector("[data-total]").textContent = now.total;
  place.querySelector("[data-on-the-way]").hidden = !now.moving;
  place.hidden = !(now.released > 0 || now.moving);
  if (now.state !== place.dataset.state) place.querySelector("[data-solved]").hidden = false;
  for (const [id, standing] of Object.entries(now.rows)) {
    const badge = document.querySelector(`[data-standing="${id}"] .hub-badge`);
    if (badge && badge.textContent !== standing.label) {
      badge.textContent = standing.label;
      badge.dataset.tone = standing.tone;
    }
  }
}

async function follow(place, wait = 1000, until = Date.now() + 180000) {
  if (!document.hidden) {
    const answer = await fetch(place.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) {
      const now = await answer.json();
      tell(place, now);
      if (!now.moving) return;
    }
  }
  if (Date.now() < until) setTimeout(() => follow(place, Math.min(wait * 1.3, 5000), until), wait);
}

/* ---- keys ---- */

const onList = {
  j: () => step(1),
  k: () => step(-1),
  x: () => tick(current()),
  a: take,
  f: () => { if (current()) location.assign(`${linkOf(current()).href}#solve`); },
};
const onCase = {
  f: firstFix,
  a: () => document.getElementById("take")?.requestSubmit(),
  u: () => document.querySelector("[data-back]").click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  const typing = event.target.closest("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])");
  if (typing) return;
  if (event.key === "?") { event.preventDefault(); keys.showModal(); return; }
  const act = (page.dataset.keys === "list" ? onList : onCase)[event.key];
  if (act) { event.preventDefault(); act(); }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-help]")) keys.showModal();
  if (event.target.closest("[data-none]")) { boxes().forEach((box) => { box.checked = false; }); tally(); }
  document.querySelectorAll(".ex-menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(".ex-menu[open]");
  if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) boxes().forEach((box) => { box.checked = event.target.checked; });
  if (event.target.matches("[data-all], input[name=case], input[name=root], input[name=every]")) tally();
  if (event.target.matches("input[name=overdue], input[name=single]")) event.target.form.requestSubmit();
});

document.addEventListener("focusin", (event) => {
  const row = event.target.closest("tr[data-case]");
  if (row && row !== current()) {
    current()?.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    sessionStorage.setItem(PLACE, row.dataset.case);
  }
});

tally();
// nothing can be focused before the page is uncloaked, which is done by then
window.addEventListener("load", () => {
  if (page.dataset.keys === "case" && location.hash === "#solve") firstFix();
  // back from a case: on with the row one came from
  if (page.dataset.keys === "list" && document.referrer.match(/\/exceptions\/\d+\//)) goTo(document.querySelector(`tr[data-case="${sessionStorage.getItem(PLACE)}"]`));
});
if (page.dataset.keys === "case") {
  const back = document.querySelector("[data-back]");
  const cameFrom = document.referrer && new URL(document.referrer);
  if (cameFrom && cameFrom.pathname === new URL(back.href).pathname) sessionStorage.setItem("exceptions:list", cameFrom.search);
  back.search = sessionStorage.getItem("exceptions:list") || "";
  const place = document.getElementById("progress");
  if (place.hasAttribute("data-moving")) follow(place);
}
