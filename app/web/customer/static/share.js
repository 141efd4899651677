// @ts-check
/**
 * Hand the shop's join link to a friend: by the phone's own sheet, else copied.
 *
 * @module customer/share
 */

const STAYS_MS = 3_000;

/**
 * @param {HTMLElement} button
 * @param {Record<string, string>} texts - copied
 */
export async function share({ dataset }, texts) {
  const { share: url = "", shareTitle: title = "", shareText: text = "" } = dataset;
  if (navigator.share) {
    // Whoever closes the sheet again has changed their mind, nothing failed.
    await navigator.share({ title, text, url }).catch(() => undefined);
    return;
  }
  try {
    await navigator.clipboard.writeText(url);
    say(texts.copied);
  } catch {
    say(url);
  }
}

/** @param {string} text */
function say(text) {
  document.querySelector("[data-shared]")?.remove();
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.dataset.shared = "";
  toast.setAttribute("role", "status");
  document.body.append(toast);
  toast.textContent = text;
  setTimeout(() => toast.remove(), STAYS_MS);
}
