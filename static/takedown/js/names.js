// The names of the providers for the field that one is typed in: fetched when the field is first used.
// Without this script the name is typed in full, or a part of it that no other provider has.

for (const form of document.querySelectorAll("form[data-names]")) {
  const field = form.querySelector("input[list]");
  const list = field && form.querySelector(`#${field.getAttribute("list")}`);
  if (!list) continue;
  const fill = async () => {
    const answer = await fetch(form.dataset.names, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { names } = await answer.json();
    list.replaceChildren(...names.map((name) => new Option(name)));
  };
  field.addEventListener("focus", fill, { once: true });
}
