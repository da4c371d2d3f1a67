// Loaded before anything is drawn, so that no page flashes in the other theme: that of the system, until one is chosen. The choice
// is all that a browser keeps.
"use strict";

(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // A browser that keeps nothing.
    }
  };
  const follow = () => (document.documentElement.dataset.theme = chosen() ?? (system.matches ? "dark" : "light"));
  system.addEventListener("change", follow);
  follow();
})();
