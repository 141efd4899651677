// A lens that a test paints on; painted.py tells why.
(() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const pen = canvas.getContext("2d");
  let image = null, shownAt = 0, turn = 0;
  const lens = (id, label) => ({ kind: "videoinput", deviceId: id, label, groupId: "", toJSON() {} });
  const camera = window.camera = {
    fail: JSON.parse(sessionStorage.getItem("camera-fails") ?? "null"),
    lenses: [lens("back", "Back"), lens("front", "Front")],
    able: { torch: true, focusMode: ["manual", "continuous"] },
    asked: [], wishes: [], tracks: [], results: [],
    async show(url) {
      image = null;
      if (!url) return;
      const fresh = new Image();
      fresh.src = url;
      await fresh.decode();
      shownAt = 0;
      image = fresh;
    },
    paintedAt: () => shownAt,
  };
  setInterval(() => {
    pen.fillStyle = turn++ % 2 ? "#5a5a5a" : "#5b5b5b"; // a lens is never quite still
    pen.fillRect(0, 0, 1280, 720);
    if (!image) return;
    pen.imageSmoothingEnabled = false;
    pen.drawImage(image, 360, 80, 560, 560);
    shownAt ||= performance.now();
  }, 33);
  const media = navigator.mediaDevices;
  media.enumerateDevices = async () => camera.lenses;
  media.getUserMedia = async (wanted) => {
    camera.asked.push(wanted.video);
    if (camera.fail) throw new DOMException("", camera.fail);
    const id = wanted.video.deviceId?.exact ?? "back";
    if (!camera.lenses.some(({ deviceId }) => deviceId === id)) {
      throw new DOMException("", "OverconstrainedError");
    }
    const stream = canvas.captureStream(30);
    const [track] = stream.getVideoTracks();
    track.getSettings = () => ({ deviceId: id, facingMode: id === "back" ? "environment" : "user" });
    track.getCapabilities = () => camera.able;
    track.applyConstraints = async ({ advanced }) => void camera.wishes.push(...advanced);
    camera.tracks.push(track);
    return stream;
  };
  document.addEventListener("DOMContentLoaded", () => {
    const result = document.querySelector("#result");
    if (!result) return;
    new MutationObserver(() => {
      if (!result.open || result.classList.contains("result--waiting")) return;
      requestAnimationFrame(() => requestAnimationFrame(() =>
        camera.results.push({ at: performance.now(), title: result.querySelector("h2").textContent })));
    }).observe(result, { attributes: true, attributeFilter: ["open"] });
  });
})();
