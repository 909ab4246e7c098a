// What the server wrote into the page for its modules.

export const page = JSON.parse(document.getElementById("page").textContent);
