// Keeps every <time data-due data-now> counting. The server's clock decides: `data-now` is what it read when it
// wrote the page, so a wrong clock on the reader's desk shifts nothing.

const SECOND = 1000;
const words = JSON.parse(document.documentElement.dataset.words || "{}");
const loaded = performance.timeOrigin + performance.now();

/** Same rule as the `duration` filter in takedown/templatetags/house.py: two largest units, rounded down. */
export function duration(milliseconds, say = words) {
  const seconds = Math.floor(Math.abs(milliseconds) / SECOND);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const values = { s: seconds % 60, m: minutes % 60, h: hours, d: Math.floor(hours / 24) };
  let form = "s";
  if (hours >= 48) {
    form = "dh";
    values.h = hours % 24;
  } else if (hours) {
    form = "hm";
  } else if (minutes >= 10) {
    form = "m";
  } else if (minutes) {
    form = "ms";
  }
  return say[form].replace(/\{(\w)\}/g, (_, unit) => String(values[unit]));
}

function refresh(element, passed) {
  const left = Date.parse(element.dataset.due) - Date.parse(element.dataset.now) - passed;
  const tone = left <= 0 ? "over" : left <= Number(element.dataset.soon) * SECOND ? "soon" : "calm";
  const text = (left <= 0 ? words.over : words.left).replace("{span}", duration(left));
  if (element.textContent !== text) element.textContent = text;
  const box = element.closest(".timeleft");
  if (box && !box.classList.contains(`timeleft--${tone}`)) {
    box.classList.remove("timeleft--calm", "timeleft--soon", "timeleft--over");
    box.classList.add(`timeleft--${tone}`);
  }
}

if (words.left) {
  // Found again each time: a page may have swapped in other rows.
  const tick = () => {
    if (document.hidden) return;
    const passed = performance.timeOrigin + performance.now() - loaded;
    for (const element of document.querySelectorAll("time[data-due][data-now]")) refresh(element, passed);
  };
  setInterval(tick, SECOND);
  document.addEventListener("visibilitychange", tick);
}
