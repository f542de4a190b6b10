// Keeps every <div data-live="/address/"> as the server has it now, until that says it is done (data-live-done): then
// the page is loaded anew. Without this script the page says how far it was, and has a link to load it again.

const EVERY = 2000;
const LONGEST = 30000;

for (const box of document.querySelectorAll("[data-live]")) {
  let wait = EVERY;

  const ask = async () => {
    if (!document.hidden) {
      try {
        // A session that ended answers with the way to the log-in: that is no part of a page.
        const answer = await fetch(box.dataset.live, { redirect: "error", cache: "no-store", headers: { "X-Unattended": "yes" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const part = document.createElement("template");
        part.innerHTML = await answer.text();
        if (part.content.querySelector("[data-live-done]")) {
          location.reload();
          return;
        }
        // Whoever stands on a button in it keeps it.
        if (!box.contains(document.activeElement)) box.replaceChildren(part.content);
        wait = EVERY;
      } catch {
        wait = Math.min(wait * 2, LONGEST);
      }
    }
    setTimeout(ask, wait);
  };
  setTimeout(ask, wait);
}
