// On the page that says one is offline: the page that was wanted, as soon as it can be had.

window.addEventListener("online", () => location.reload());
document.querySelector("[data-again]").addEventListener("click", (event) => {
  event.preventDefault();
  location.reload();
});
