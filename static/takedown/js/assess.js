// The judging form: number keys choose the class, one chord saves. No single key sends anything, keys are dead
// while one types or a dialog is open, and they can be switched off. Without this script the form works as it is.

const form = document.querySelector("form[data-assess]");
const OFF = "single-keys-off";

const off = () => {
  try {
    return localStorage.getItem(OFF) === "yes";
  } catch {
    return false; // storage is switched off: the keys are as they come
  }
};

const typing = (target) =>
  target instanceof HTMLElement &&
  target.matches("textarea, select, input:not([type=radio], [type=checkbox]), [contenteditable]");

if (form) {
  const classes = [...form.querySelectorAll("input[name=legal_class]")];
  const reason = form.querySelector("[data-reason]");
  const urgent = form.querySelector("[data-urgent]");

  // A class that sends nothing needs a reason; one that sends may be urgent.
  const refresh = () => {
    const chosen = classes.find((input) => input.checked)?.value;
    const sends = chosen === "baseline" || chosen === "national";
    reason.hidden = !chosen || sends;
    reason.querySelector("select").required = Boolean(chosen) && !sends;
    urgent.hidden = Boolean(chosen) && !sends;
  };
  form.addEventListener("change", refresh);
  refresh();

  const keys = {
    r: () => !reason.hidden && reason.querySelector("select").focus(),
    u: () => !urgent.hidden && urgent.querySelector("input").click(),
    n: () => form.querySelector("textarea").focus(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      if (!form.contains(event.target) && event.target !== document.body) return;
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (off() || form.closest("details:not([open])")) return;
    const choice = /^[1-9]$/.test(event.key) ? classes[Number(event.key) - 1] : undefined;
    const act = keys[event.key.toLowerCase()];
    if (choice) {
      choice.checked = true;
      choice.focus();
      refresh();
    } else if (act) {
      act();
    } else {
      return;
    }
    event.preventDefault();
  });

  // A form that is sent once is not sent again by an impatient press.
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
}
