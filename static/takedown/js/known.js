// What was judged before: K goes to the button that takes it over, and the chord saves while the focus is there. The key
// alone sends nothing; it is dead while one types or a dialog is open, and off for who has switched single keys off.

const OFF = "single-keys-off"; // kept by the work desk
const form = document.querySelector("form[data-take]");

const off = () => {
  try {
    return localStorage.getItem(OFF) === "yes";
  } catch {
    return false; // storage is switched off: the keys are as they come
  }
};

if (form) {
  const button = form.querySelector("button");
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const chord = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && chord && form.contains(document.activeElement)) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const typing = event.target.matches?.("textarea, select, input:not([type=radio], [type=checkbox])");
    if (event.key.toLowerCase() !== "k" || chord || event.altKey || typing || off()) return;
    event.preventDefault();
    button.focus();
    button.scrollIntoView({ block: "nearest" });
  });
  // A form that is sent once is not sent again by an impatient press.
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
}
