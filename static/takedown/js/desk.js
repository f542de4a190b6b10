// The work desk while it is open: once a minute the page says that it still is, and whether somebody was at it
// since (a key, a movement, a press). A page that is hidden says nothing; one that is left gives its notice back.
// Without this script a notice goes back by itself, five minutes after it was opened.

const EVERY = 60_000;
const form = document.querySelector("form[data-beat]");

if (form) {
  const bar = document.querySelector("[data-claim]");
  const words = bar.querySelector("[data-claim-words]");
  const on = bar.querySelector("[data-claim-on]");
  let active = true;
  let leaving = false;

  const say = async (isActive) => {
    const body = new FormData(form);
    body.append("active", isActive ? "yes" : "no");
    try {
      // A page that nobody is at keeps nobody logged in.
      const headers = isActive ? {} : { "X-Unattended": "yes" };
      const answer = await fetch(form.dataset.beatUrl, { method: "POST", body, headers });
      if (!answer.ok) return;
      const kept = await answer.json();
      bar.hidden = kept.claim === "yes";
      on.hidden = kept.claim !== "idle";
      if (words.textContent !== kept.words) words.textContent = kept.words;
    } catch {
      // No connection: the next time tells, and saving is guarded by the version.
    }
  };
  const beat = () => {
    if (document.hidden || leaving) return;
    say(active);
    active = false;
  };

  for (const sign of ["keydown", "pointerdown", "pointermove", "wheel", "focusin"]) {
    document.addEventListener(sign, () => (active = true), { passive: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    active = true;
    beat();
  });
  // What was given back for want of activity comes back by a press of its button, not by passing over it.
  setInterval(() => {
    if (!on.hidden) active = false;
    beat();
  }, EVERY);
  on.addEventListener("click", () => say(true));

  // A form that leads on gives the notice back itself, or shows it again.
  document.addEventListener("submit", (event) => (leaving = !event.defaultPrevented));
  window.addEventListener("pageshow", (event) => {
    leaving = false;
    if (event.persisted) beat();
  });
  window.addEventListener("pagehide", () => {
    if (!leaving) navigator.sendBeacon(form.dataset.closeUrl, new FormData(form));
  });
}
