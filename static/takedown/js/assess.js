// The judging form: its groups have the turn one after another. Number keys choose in the group that has it and pass
// the turn on, Enter or Tab leaves a group as it is, Backspace goes back, one chord saves. No single key sends
// anything; keys are dead while one types or a dialog is open, and they can be switched off. Without this script the
// form works as it is.

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
  const groups = [...form.querySelectorAll("[data-group]")];
  const ends = form.querySelector("[data-police-hint]")?.closest("[data-of]");
  const urgent = form.querySelector("[data-urgent] input");
  const police = form.querySelector("[data-police-first] input");
  const hint = form.querySelector("[data-police-hint]");
  const inputs = (group) => [...group.querySelectorAll("input")];
  let turn = groups[0];

  const give = (group) => {
    turn?.classList.remove("group--turn");
    turn = group;
    turn?.classList.add("group--turn");
  };

  // A class that sends nothing needs a reason; one that sends is described, and may be urgent or the police's first.
  const refresh = () => {
    const chosen = inputs(groups[0]).find((input) => input.checked)?.value;
    const of = chosen && (chosen === "baseline" || chosen === "national" ? "illegal" : "not");
    for (const part of [...groups, ends]) {
      if (part?.dataset.of) part.hidden = part.dataset.of !== of;
    }
    const reason = groups.find((group) => group.dataset.of === "not");
    for (const input of inputs(reason)) input.required = !reason.hidden;
    if (hint) hint.hidden = !form.querySelector("[data-group]:not([hidden]) [data-police] input:checked") || police.checked;
  };

  const move = (step) => {
    const shown = groups.filter((group) => !group.hidden);
    const next = shown[shown.indexOf(turn) + step];
    if (next) {
      give(next);
      (inputs(next).find((input) => input.checked) ?? inputs(next)[0]).focus();
    } else if (step > 0) {
      give(undefined);
      (ends && !ends.hidden ? urgent : form.querySelector("textarea")).focus();
    }
  };

  form.addEventListener("change", refresh);
  form.addEventListener("focusin", (event) => {
    const group = event.target.closest("[data-group]");
    if (group) give(group);
  });
  refresh();
  give(turn);
  const wrong = groups.find((group) => !group.hidden && group.querySelector(".errorlist"));
  if (wrong) {
    give(wrong);
    inputs(wrong)[0].focus();
  }

  const keys = {
    u: () => ends && !ends.hidden && urgent.click(),
    p: () => ends && !ends.hidden && police.click(),
    n: () => form.querySelector("textarea").focus(),
    backspace: () => {
      if (turn) move(-1);
      else {
        give(groups.filter((group) => !group.hidden).at(-1));
        (inputs(turn).find((input) => input.checked) ?? inputs(turn)[0]).focus();
      }
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    // Beside it as well, as at the address that was just shown; not in another form, nor in a menu.
    const other = event.target.closest?.("form:not([data-copy], [data-reveal]), details, nav, header");
    const inside = !other || form.contains(event.target);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      if (!inside) return;
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    // Enter on a radio or a tick would send the form: here it passes the turn on.
    if (event.key === "Enter" && form.contains(event.target) && event.target.matches("input")) {
      event.preventDefault();
      if (turn) move(1);
      return;
    }
    if (off() || form.closest("details:not([open])") || !inside) return;
    const choice = turn && [...turn.querySelectorAll("label")].find(
      (label) => label.querySelector("kbd").textContent === event.key,
    );
    const act = keys[event.key.toLowerCase()];
    if (choice) {
      choice.querySelector("input").checked = true;
      refresh();
      move(1);
    } else if (act) {
      act();
    } else {
      return;
    }
    event.preventDefault();
  });

  // A form that is sent once is not sent again by an impatient press.
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent || "preview" in form.dataset) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
}
