// @ts-check
/** Let the phone keep the shell of the app; without a service worker all works online. */
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/sw.js").catch(() => {
    // A private window, or a certificate that the phone does not know.
  });
}
