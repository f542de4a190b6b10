// Light, dark, or as the system says. Not a module: it runs before the first paint, so nothing flashes.
// The choice is this browser's own and stays in it.
"use strict";
{
  const NEXT = { auto: "light", light: "dark", dark: "auto" };
  const root = document.documentElement;

  const read = () => {
    try {
      const stored = localStorage.getItem("theme");
      return stored in NEXT ? stored : "auto";
    } catch {
      return "auto"; // storage is switched off: the system's choice stands
    }
  };

  const show = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };

  const name = (button, theme) => {
    const words = JSON.parse(root.dataset.words || "{}");
    const label = words[`theme_${theme}`];
    if (label) {
      button.setAttribute("aria-label", label);
      button.title = label;
    }
  };

  show(read());
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.hidden = false;
      name(button, read());
      button.addEventListener("click", () => {
        const theme = NEXT[read()];
        try {
          localStorage.setItem("theme", theme);
        } catch {
          // Storage is switched off: the choice lasts for this page.
        }
        show(theme);
        name(button, theme);
      });
    }
  });
}
