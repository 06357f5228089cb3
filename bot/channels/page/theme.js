// Loaded before the first paint, so that a remembered look does not flash.
(() => {
  const root = document.documentElement;
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

  function remembered() {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is switched off
    }
  }

  function show() {
    const theme = remembered() ?? (systemIsDark.matches ? "dark" : "light");
    root.dataset.theme = theme;
    document.getElementById("theme")?.setAttribute("aria-label", theme === "dark" ? "画面を明るくする" : "画面を暗くする");
  }

  show();
  systemIsDark.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme")?.addEventListener("click", () => {
      const theme = root.dataset.theme === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("theme", theme);
        show();
      } catch {
        root.dataset.theme = theme;
      }
    });
  });
})();
