// Asks what we answer to claims of removal, until each has its answer. A place with data-claims="/address/?..." holds one or
// more parts with data-claim="reference"; one with data-settled has its answer. Without this script the page says how it was,
// and says the answer when it is loaded again.

// Seconds between two questions: close together at first, then further apart, and none at all after a while.
const WAITS = [1, 1, 1, 2, 2, 3, 3, 5, 5, 10, 15];
const LAST_WAIT = 30;
const LONGEST = 20 * 60;

for (const place of document.querySelectorAll("[data-claims]")) {
  const began = Date.now();
  let asked = 0;

  const unsettled = () => [...place.querySelectorAll("[data-claim]:not([data-settled])")];

  const ask = async () => {
    const parts = unsettled();
    if (!parts.length) return;
    if (!document.hidden) {
      try {
        const named = new URLSearchParams(parts.map((part) => ["notice", part.dataset.claim]));
        // A session that ended answers with the way to the log-in: that is no part of a page.
        const answer = await fetch(place.dataset.claims + named, { redirect: "error", cache: "no-store", headers: { "X-Unattended": "yes" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const fresh = document.createElement("template");
        fresh.innerHTML = await answer.text();
        for (const said of fresh.content.querySelectorAll("[data-claim]")) {
          const part = parts.find((each) => each.dataset.claim === said.dataset.claim);
          // What says the same stays as it is: it would be read out again.
          if (part && part.textContent.trim() !== said.textContent.trim()) part.replaceChildren(...said.childNodes);
          if (part && "settled" in said.dataset) part.dataset.settled = "";
        }
      } catch {
        asked = Math.max(asked, WAITS.length - 3); // not so often while there is no answer
      }
      asked += 1;
    }
    later();
  };

  const later = () => {
    if (!unsettled().length || Date.now() - began > LONGEST * 1000) return;
    setTimeout(ask, (WAITS[asked] ?? LAST_WAIT) * 1000);
  };

  later();
}
