// Loaded before anything is drawn, so that no page flashes in the other theme. The choice of a theme is all that a browser keeps.
"use strict";

(() => {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // A browser that keeps nothing follows the system.
  }
})();
