// Small helps of the hub's pages; every page works without them.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(source.textContent.trim());
  const status = button.querySelector("[data-copied]");
  status.textContent = button.dataset.done;
  setTimeout(() => { status.textContent = ""; }, 2000);
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (form && event.target.matches("select")) form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  }
  if (event.key === "Escape" && typing && typing.type === "search") typing.blur();
});

// A filter's address names only what is filtered by.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "get" || !form.matches(".hub-filters")) return;
  const blank = [...form.elements].filter((field) => field.name && !field.value);
  blank.forEach((field) => { field.disabled = true; });
  window.addEventListener("pageshow", () => blank.forEach((field) => { field.disabled = false; }), { once: true });
});

// A form that changes something is sent once, however often it is clicked.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  window.addEventListener("pageshow", () => { delete form.dataset.sent; }, { once: true });
});
