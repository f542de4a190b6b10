// A tick in the head of a table that ticks the rows, and a count of the chosen beside the bulk buttons.
// x ticks the row that the keyboard is in, j and k go to the next and the one before; Shift makes a range. Without
// this script every row's own tick still works. What is on other pages is never chosen by it.

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
  // Only inside the table, and never where one types.
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches('input:not([type="checkbox"]), select, textarea')) return;
    const key = event.key.toLowerCase();
    const rows = ticks();
    const at = rows.findIndex((tick) => tick.closest("tr").contains(event.target));
    if (at < 0) return;
    if (key === "x") rows[at].dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
    else if (key === "j" || key === "k") rows[at + (key === "j" ? 1 : -1)]?.focus();
    else return;
    event.preventDefault();
  });
  refresh();
}
