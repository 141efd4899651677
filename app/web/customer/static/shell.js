// @ts-check
/** Let the phone keep the shell of the app; without a service worker all works online. */
if ("serviceWorker" in navigator) {
  const language = encodeURIComponent(document.documentElement.lang);
  navigator.serviceWorker.register(`/sw.js?language=${language}`).catch(() => {
    // A private window, or a certificate that the phone does not know.
  });
}
