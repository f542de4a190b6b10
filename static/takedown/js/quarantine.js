// The keys of the quarantine: from line to line, tick, and to a button. They send nothing; Enter presses the button that
// has the focus. Keys are dead while one types or a dialog is open, and off for who has switched single keys off.

const OFF = "single-keys-off"; // kept by the work desk
const form = document.querySelector("form[data-quarantine]");
const ticks = form ? [...form.querySelectorAll('tbody input[type="checkbox"][name="line"]')] : [];

const off = () => {
  try {
    return localStorage.getItem(OFF) === "yes";
  } catch {
    return false; // storage is switched off: the keys are as they come
  }
};

const at = () => ticks.findIndex((tick) => tick.closest("tr").contains(document.activeElement));
const go = (to) => {
  const tick = ticks[Math.max(0, Math.min(ticks.length - 1, to))];
  tick.focus();
  tick.closest("tr").scrollIntoView({ block: "nearest" });
};
const acts = {
  j: () => go(at() + 1),
  k: () => go(at() < 0 ? 0 : at() - 1),
  x: () => {
    if (at() < 0) go(0);
    ticks[at()].click();
  },
};

if (ticks.length && !off()) {
  form.querySelector("[data-keys-hint]").hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches?.("textarea, select, input:not([type=checkbox])")) return;
    if (event.key === "Enter" && event.target.matches?.("input")) event.preventDefault(); // it would send the form
    const key = event.key.toLowerCase();
    const button = form.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (button && !button.disabled) button.focus();
    else if (acts[key]) acts[key]();
    else return;
    event.preventDefault();
  });
}
