// The theme buttons: dark, light, as the device. The choice is a cookie, so that the next page is painted right at once.

const MEDIA = { dark: "not all", light: "all", system: "(prefers-color-scheme: light)" };
const NEXT = { dark: "light", light: "system", system: "dark" };
const YEAR_SECONDS = 365 * 24 * 3600;

function show(theme) {
  document.getElementById("light").media = MEDIA[theme];
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.dataset.themeSwitch = theme;
    button.setAttribute("aria-label", button.dataset[theme]);
    button.title = button.dataset[theme];
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-switch]");
  if (!button) return;
  const theme = NEXT[button.dataset.themeSwitch];
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `samia_theme=${theme}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax${secure}`;
  show(theme);
});
