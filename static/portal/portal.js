// Comforts of the portal; without this script everything is there, only less tidy.

// A field that belongs to some answers is shown with those answers.
for (const form of document.querySelectorAll("form[data-answer-form]")) {
  const parts = [...form.querySelectorAll("[data-for]")];
  const refresh = () => {
    const answer = form.querySelector('input[name="answer"]:checked')?.value ?? "";
    for (const part of parts) {
      const wrong = part.querySelector(".errorlist");
      part.hidden = !part.dataset.for.split(" ").includes(answer) && !wrong;
    }
  };
  form.addEventListener("change", refresh);
  refresh();
}

// The address, defanged, into the clipboard: what is pasted elsewhere is no link there either.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  const said = document.getElementById(button.getAttribute("aria-describedby"));
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      said.textContent = button.dataset.copied;
    } catch {
      said.textContent = button.dataset.failed; // the browser did not allow it
    }
  });
}

// What is new counts as read once its place on the page was before somebody: the button says the same by hand.
for (const form of document.querySelectorAll("form[data-read]")) {
  const place = document.querySelector("[data-new]");
  if (!place) continue;
  const said = new IntersectionObserver(async (entries) => {
    if (document.hidden || !entries.some((entry) => entry.isIntersecting)) return;
    said.disconnect();
    try {
      // A session that ended answers with the way to the log-in: then nothing was marked, and the button stays.
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        redirect: "error",
        headers: { "X-Unattended": "yes" },
      });
      if (answer.ok) form.hidden = true;
    } catch {
      // no network: the button says the same by hand
    }
  });
  said.observe(place);
}
