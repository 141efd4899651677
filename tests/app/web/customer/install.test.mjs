import assert from "node:assert/strict";
import { test } from "node:test";

import { wayOf } from "../../../../app/web/customer/static/install.js";

const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)";

test("each phone is told its own way to the home screen", () => {
  assert.equal(wayOf(`${PHONE} Version/17.5 Mobile/15E148 Safari/604.1`, 5), "safari");
  assert.equal(wayOf(`${PHONE} CriOS/126.0 Mobile/15E148 Safari/604.1`, 5), "ios");
  assert.equal(wayOf(`${PHONE} FxiOS/127.0 Mobile/15E148 Safari/605.1.15`, 5), "ios");
  assert.equal(wayOf(`${ANDROID} Chrome/126.0 Mobile Safari/537.36`, 5), "prompt");
  assert.equal(wayOf(`${ANDROID} SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36`, 5), "menu");
  assert.equal(wayOf("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", 5), "menu");
});

test("an iPad calls itself a Mac, but a Mac has no fingers", () => {
  const mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15";
  assert.equal(wayOf(mac, 5), "safari");
  assert.equal(wayOf(mac, 0), "prompt");
});
