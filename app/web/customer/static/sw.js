// @ts-check
/**
 * Keeps the shell of the app on the phone: sheets, modules, icons, the offline page.
 *
 * Online, everything comes from the server, so no page runs with old parts; the kept
 * copy stands in when the network fails. Nothing else is ever kept: no page with data,
 * no answer of the API, no code's link. The server sets `self.SHELL` in front:
 * `{version, files, offline}`; the version is a hash of the files.
 */

const worker = /** @type {any} */ (self);
/** @type {{ version: string, files: string[], offline: string }} */
const SHELL = worker.SHELL;
const NAME = `punchproof-shell-${SHELL.version}`;
const FILES = new Set(SHELL.files);

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(keep().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(forget().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => kept(SHELL.offline)));
  } else if (FILES.has(url.pathname)) {
    event.respondWith(fetch(request).catch(() => kept(url.pathname)));
  }
});

async function keep() {
  const cache = await caches.open(NAME);
  // Without cookies: what is kept can be nobody's.
  const asked = SHELL.files.map((file) => new Request(file, { cache: "reload", credentials: "omit" }));
  await cache.addAll(asked);
}

async function forget() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("punchproof-shell-") && name !== NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** @param {string} path */
async function kept(path) {
  const cache = await caches.open(NAME);
  // Kept once, in one language: what the answer varied with does not matter here.
  return (await cache.match(path, { ignoreVary: true })) ?? Response.error();
}
