// @ts-check
/** Without a network: come back to the page that was asked for as soon as there is one. */
globalThis.addEventListener("online", () => location.reload());
document.getElementById("again")?.addEventListener("click", (event) => {
  if (location.pathname === "/offline") return;
  event.preventDefault();
  location.reload();
});
