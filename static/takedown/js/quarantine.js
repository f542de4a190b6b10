// The keys of the quarantine: into the table (selectall.js has those inside it) and to a button. They send nothing; Enter
// presses the button that has the focus. Keys are dead while one types or a dialog is open, and off for who has switched
// single keys off.

const OFF = "single-keys-off"; // kept by the work desk
const form = document.querySelector("form[data-quarantine]");
const first = form?.querySelector('tbody input[type="checkbox"][name="line"]');

const off = () => {
  try {
    return localStorage.getItem(OFF) === "yes";
  } catch {
    return false; // storage is switched off: the keys are as they come
  }
};

if (first) {
  form.addEventListener("keydown", (event) => {
    // It would send the form.
    if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
  });
}
if (first && !off()) {
  form.querySelector("[data-keys-hint]").hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches?.("textarea, select, input:not([type=checkbox])")) return;
    const key = event.key.toLowerCase();
    const button = form.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (button && !button.disabled) button.focus();
    else if (key === "j" || key === "k") first.focus();
    else return;
    event.preventDefault();
  });
}
