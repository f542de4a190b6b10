// A tick in the head of a table that ticks the rows, and a count of the chosen beside the bulk buttons.
// Without this script every row's own tick still works. What is on other pages is never chosen by it.

const words = JSON.parse(document.documentElement.dataset.words || "{}");

for (const box of document.querySelectorAll("[data-select]")) {
  const form = box.closest("form");
  const ticks = () => [...box.querySelectorAll(`tbody input[type="checkbox"][name="${box.dataset.select}"]`)];
  const label = box.querySelector("[data-select-all]");
  const all = label?.querySelector("input");
  const counts = form ? [...form.querySelectorAll("[data-select-count]")] : [];
  let last = null;

  const refresh = () => {
    const rows = ticks();
    const chosen = rows.filter((tick) => tick.checked).length;
    if (all) {
      all.checked = chosen > 0 && chosen === rows.length;
      all.indeterminate = chosen > 0 && chosen < rows.length;
    }
    const text = (words.chosen || "{n} / {all}").replace("{n}", chosen).replace("{all}", rows.length);
    for (const count of counts) count.textContent = text;
    for (const button of form?.querySelectorAll("[data-needs-choice]") ?? []) button.disabled = chosen === 0;
  };

  if (all) {
    label.hidden = false;
    all.addEventListener("change", () => {
      for (const tick of ticks()) tick.checked = all.checked;
      refresh();
    });
  }
  box.addEventListener("click", (event) => {
    const rows = ticks();
    const at = rows.indexOf(event.target);
    if (at < 0) return;
    if (event.shiftKey && last !== null) {
      const [from, to] = [Math.min(at, last), Math.max(at, last)];
      for (const tick of rows.slice(from, to + 1)) tick.checked = event.target.checked;
    }
    last = at;
    refresh();
  });
  refresh();
}
