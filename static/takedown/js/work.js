// The list of keys of the work desk: `?` opens it, and single keys can be switched off there. What the keys do to
// the judging form is in assess.js.

const dialog = document.querySelector("dialog[data-keys]");
const OFF = "single-keys-off";

if (dialog) {
  const typing = (target) =>
    target instanceof HTMLElement &&
    target.matches("textarea, select, input:not([type=radio], [type=checkbox]), [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (dialog.open || event.key !== "?" || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    event.preventDefault();
    dialog.showModal();
  });

  const opener = document.querySelector("[data-keys-open]");
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());
  const off = dialog.querySelector("[data-keys-off]");
  try {
    off.checked = localStorage.getItem(OFF) === "yes";
  } catch {
    off.checked = false; // storage is switched off: the keys are as they come
  }
  off.addEventListener("change", () => {
    try {
      localStorage.setItem(OFF, off.checked ? "yes" : "no");
    } catch {
      off.checked = false; // storage is switched off: it cannot be kept
    }
  });
}
