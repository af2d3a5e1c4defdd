// What must be known before the first paint; not a module, for those run later.
(() => {
  const root = document.documentElement;
  // Hides what is only for browsers without JavaScript; see site.css.
  root.dataset.js = "";
  // Light or dark as the system says.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const applyTheme = () => {
    root.dataset.bsTheme = dark.matches ? "dark" : "light";
  };
  dark.addEventListener("change", applyTheme);
  applyTheme();
})();
