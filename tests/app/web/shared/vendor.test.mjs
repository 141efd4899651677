// What is vendored is what the README says it is.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const HOME = new URL("../../../../app/web/shared/static/vendor/zxing/", import.meta.url);
const readme = await readFile(new URL("README.md", HOME), "utf8");
const rows = [...readme.matchAll(/^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$/gm)];

test("the table names the three files", () => {
  assert.deepEqual(
    rows.map(([, file]) => file),
    ["reader/index.js", "reader/zxing_reader.wasm", "share.js"],
  );
});

for (const [, file, sum] of rows) {
  test(`${file} has the sum that the README names`, async () => {
    const bytes = await readFile(new URL(file, HOME));

    assert.equal(createHash("sha256").update(bytes).digest("hex"), sum);
  });
}

test("the scripts name no other host", async () => {
  for (const file of ["reader/index.js", "share.js"]) {
    const script = await readFile(new URL(file, HOME), "utf8");

    assert.doesNotMatch(script, /https?:\/\//);
  }
});

test("the reader reads, with our own wasm file and nothing else", async () => {
  const { prepareZXingModule, readBarcodes } = await import(new URL("reader/index.js", HOME));
  const wasmBinary = await readFile(new URL("reader/zxing_reader.wasm", HOME));
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  const blank = { data: new Uint8ClampedArray(64 * 64 * 4), width: 64, height: 64 };

  assert.deepEqual(await readBarcodes(blank, { formats: ["QRCode"] }), []);
});
