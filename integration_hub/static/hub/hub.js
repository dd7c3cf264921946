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

// What fits to what is typed: a field with data-lookup asks the address that its form names.
function lookUp(input) {
  const list = document.createElement("datalist");
  list.id = `${input.id}_found`;
  input.after(list);
  input.setAttribute("list", list.id);
  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const address = `${input.form.dataset.lookup}${input.dataset.lookup}/?q=${encodeURIComponent(input.value)}`;
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { found } = await answer.json();
      list.replaceChildren(...found.map((item) => Object.assign(document.createElement("option"), { value: item.value, label: item.label, textContent: item.label })));
    }, 180);
  });
}

document.addEventListener("focusin", (event) => {
  const input = event.target.closest("input[data-lookup]");
  if (!input || input.hasAttribute("list")) return;
  lookUp(input);
});

// Rows to confirm: choosing a suggestion (also the one chosen already) ticks its row; the box on top ticks every row with
// a suggestion chosen.
document.addEventListener("click", (event) => {
  const { form, name = "", type } = event.target;
  if (type !== "radio" || !name.startsWith("choice-")) return;
  const box = form.querySelector(`input[name=pick][value="${name.slice(7)}"]`);
  if (box) box.checked = true;
});

document.addEventListener("change", (event) => {
  const { form, checked, dataset } = event.target;
  if (!dataset.tick) return;
  for (const box of form.querySelectorAll(`input[name=${dataset.tick}]`)) {
    box.checked = checked && Boolean(form.querySelector(`input[name="choice-${box.value}"]:checked`));
  }
});
