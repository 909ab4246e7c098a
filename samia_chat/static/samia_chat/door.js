// The sign-in page: shows the password when asked.

import "samia/theme";

const button = document.getElementById("show-password");
const field = document.getElementById("password");

button.hidden = false;
button.addEventListener("click", () => {
  const isShown = field.type === "text";
  field.type = isShown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!isShown));
  field.focus();
});
