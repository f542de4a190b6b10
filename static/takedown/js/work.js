// The keys of the work desk itself: they open a form or lead to a button, and send nothing; only looking at the
// address is done at once. What keys do to the judging form is in assess.js. Keys are dead while one types or a
// dialog is open, and a person can switch them off: for themselves, on whatever computer.

const OFF = "single-keys-off"; // what assess.js reads; the server's word is put there
const dialog = document.querySelector("dialog[data-keys]");
const beat = document.querySelector("form[data-beat]");
const judging = document.querySelector("form[data-assess]");

const keep = (isOff) => {
  try {
    localStorage.setItem(OFF, isOff ? "yes" : "no");
  } catch {
    // Storage is switched off: the keys of the form stay as they come.
  }
};
const typing = (target) =>
  target instanceof HTMLElement &&
  target.matches("textarea, select, input:not([type=radio], [type=checkbox]), [contenteditable]");
const first = (form) => form?.querySelector("input:not([type=hidden]), select, textarea, button");
// What is checked in a group that is folded away cannot have the focus.
const toJudge = () =>
  ([...judging.querySelectorAll("input:checked")].find((input) => input.offsetParent) ?? first(judging))?.focus();

const fold = (key) => {
  const panel = document.querySelector(`details[data-panel="${key}"]`);
  if (!panel) return false;
  panel.open = true;
  panel.scrollIntoView({ block: "nearest" });
  first(panel.querySelector("form")).focus();
  return true;
};
const send = (selector) => {
  const form = document.querySelector(selector);
  form?.requestSubmit();
  return Boolean(form);
};
const acts = {
  v: () => send("form[data-reveal]"),
  c: () => send("form[data-copy]"),
  h: () => fold("h"),
  s: () => fold("s"),
  o: () => fold("o"),
  z: () => {
    const undo = document.querySelector("[data-undo-last]");
    undo?.focus();
    return Boolean(undo);
  },
};

if (dialog && judging) {
  const off = dialog.querySelector("[data-keys-off]");
  keep(off.checked);
  off.addEventListener("change", () => {
    keep(off.checked);
    const body = new FormData(beat);
    body.append("off", off.checked ? "yes" : "no");
    fetch(beat.dataset.keysUrl, { method: "POST", body, headers: { Accept: "application/json" } });
  });
  const opener = document.querySelector("[data-keys-open]");
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const panel = event.target.closest?.("details[data-panel]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && panel) {
      event.preventDefault();
      panel.querySelector("form").requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (panel) panel.open = false;
      toJudge();
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "?") {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    if (!off.checked && acts[event.key.toLowerCase()]?.()) event.preventDefault();
  });

  // Where one begins: at what was just shown, at a form that came back with faults, or at the first choice.
  const shown = document.querySelector("[data-revealed], [data-defanged]");
  const faulty = document.querySelector("details[data-panel][open] form");
  if (shown) {
    shown.focus({ preventScroll: true });
    if (shown.matches("textarea")) shown.select();
  } else if (faulty) {
    first(faulty).focus();
  } else if (!judging.querySelector(".errorlist") && matchMedia("(min-width: 40rem)").matches) {
    first(judging)?.focus({ preventScroll: true });
  }
}

// Copied by script the page stays as it is; the clipboard gets the defanged text and nothing else.
const copying = document.querySelector("form[data-copy]");
if (copying && navigator.clipboard) {
  const said = document.querySelector("[data-copied]");
  copying.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(copying.action, { method: "POST", body: new FormData(copying), headers });
      const { text } = await answer.json();
      if (!text) throw new Error("refused");
      await navigator.clipboard.writeText(text);
      said.textContent = said.dataset.done;
    } catch {
      said.textContent = said.dataset.failed;
    }
  });
}

// What cannot be undone any more is taken away. The server decides; this only tidies.
const tidy = () => {
  for (const row of document.querySelectorAll("[data-undo-row][data-until]")) {
    const time = row.querySelector("time[data-due][data-now]");
    if (time && time.closest(".timeleft--over")) row.remove();
  }
  const box = document.querySelector("[data-undo]");
  if (box && !box.querySelector("[data-undo-row]")) box.remove();
};
setInterval(tidy, 1000);
