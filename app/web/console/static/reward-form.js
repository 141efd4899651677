// @ts-check
/**
 * The form of a reward: shows what its kind needs, and how members would read it.
 *
 * Without this script every field is shown, and the preview comes when it is saved.
 *
 * @module console/reward-form
 */

/** Long enough for a word to be typed. */
const PAUSE_MS = 350;

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} place - of the preview
 * @param {{ fetch: typeof fetch, wait: (go: () => void, ms: number) => number, stop: (id: number) => void }} world
 */
export function watchReward(form, place, { fetch, wait, stop }) {
  const kind = /** @type {HTMLSelectElement} */ (form.elements.namedItem("kind"));
  let waiting = 0;
  let asked = 0;

  function fit() {
    for (const part of form.querySelectorAll("[data-kinds]")) {
      const kinds = (part.getAttribute("data-kinds") ?? "").split(" ");
      /** @type {HTMLElement} */ (part).hidden = !kinds.includes(kind.value);
    }
  }

  async function preview() {
    asked += 1;
    const mine = asked;
    const answer = await fetch(form.dataset.preview ?? "", {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "text/html" },
    }).catch(() => null);
    // A later one may have been quicker.
    if (answer?.status !== 200 || mine !== asked) return;
    place.innerHTML = await answer.text();
  }

  form.addEventListener("input", () => {
    fit();
    stop(waiting);
    waiting = wait(preview, PAUSE_MS);
  });
  fit();
  return { preview };
}

if (globalThis.document) {
  const form = document.querySelector("form[data-reward]");
  const place = document.getElementById("preview");
  if (form instanceof HTMLFormElement && place) {
    watchReward(form, place, {
      fetch: globalThis.fetch.bind(globalThis),
      wait: (go, ms) => globalThis.setTimeout(go, ms),
      stop: (id) => globalThis.clearTimeout(id),
    });
  }
}
