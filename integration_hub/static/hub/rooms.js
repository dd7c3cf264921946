// Start pages keep their figures up to date: every few seconds the changing part is fetched, and what differs is exchanged.
// What has the focus, an open fold or a selection stays as it is until it is left; out of sight nothing is asked.
"use strict";

(() => {
  const room = document.querySelector("[data-live]");
  if (!room) return;
  const EVERY = 5000;
  const bar = document.querySelector("[data-live-bar]");
  const text = bar.querySelector("[data-live-text]");
  const toggle = bar.querySelector("[data-live-toggle]");
  let halted = sessionStorage.getItem("hub-halted") === "1";

  function say(word, since = "") {
    const said = since ? `${text.dataset[word]} ${since}` : text.dataset[word];
    if (text.textContent !== said) text.textContent = said;
  }

  function busy(part) {
    const selection = document.getSelection();
    return part.contains(document.activeElement) || part.querySelector("details[open]")
      || (!selection.isCollapsed && part.contains(selection.anchorNode));
  }

  function exchange(fresh) {
    const parts = [...fresh.querySelectorAll("[data-live-part]")];
    const same = parts.length === room.querySelectorAll("[data-live-part]").length;
    if (!same) { room.replaceChildren(...fresh.childNodes); return; }
    for (const part of parts) {
      const old = document.getElementById(part.id);
      if (old && old.outerHTML !== part.outerHTML && !busy(old)) old.replaceWith(part);
    }
  }

  async function refresh() {
    if (halted || document.hidden) return;
    try {
      const answer = await fetch(room.dataset.live, { headers: { "X-Requested-With": "XMLHttpRequest" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      exchange(fresh);
      say("kept");
    } catch {
      say("lost", room.querySelector("#now time").textContent);
    }
  }

  function show() {
    toggle.setAttribute("aria-pressed", String(halted));
    say(halted ? "halted" : "kept");
  }

  toggle.addEventListener("click", () => {
    halted = !halted;
    sessionStorage.setItem("hub-halted", halted ? "1" : "");
    show();
    refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  bar.hidden = false;
  show();
  setInterval(refresh, EVERY);
})();
