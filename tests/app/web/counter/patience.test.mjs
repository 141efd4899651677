// Amber until the server has answered; a person may stop; the till is honest about it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { createPatience } from "../../../../app/web/counter/static/patience.js";
import { texts } from "./texts-of-page.mjs";

/** A screen that a test looks at, and may tap. */
function screenOf() {
  const shown = [];
  let tap = () => undefined;
  const screen = {
    show: (each) => {
      shown.push(each);
      return new Promise((resolve) => (tap = resolve));
    },
    close: () => shown.push("closed"),
  };
  return { screen, shown, tap: (choice) => tap(choice) };
}

const post = (post) => post("/api/v1/stamps", { request_id: "one" });
const soon = () => new Promise((next) => setTimeout(next, 1));

test("a quick answer shows no waiting", async () => {
  const { screen, shown } = screenOf();
  const ask = async () => ({ status: 201, unsure: false });

  const { done } = await createPatience({ ask, screen, texts, quick: 50 })(post);

  assert.deepEqual([done.status, shown], [201, []]);
});

test("a slow answer shows amber meanwhile", async () => {
  const { screen, shown } = screenOf();
  const ask = () => new Promise((next) => setTimeout(next, 40, { status: 201 }));

  await createPatience({ ask, screen, texts, quick: 5 })(post);

  assert.deepEqual(shown.map((each) => [each.mood, each.title]), [["waiting", "One moment"]]);
});

for (const [reason, title] of [
  ["network", "Waiting for the network"],
  ["busy", "Waiting for the server"],
  ["in_use", "Just being used"],
]) {
  test(`waiting says why: ${reason}`, async () => {
    const { screen, shown } = screenOf();
    const ask = async (_method, _path, _body, { onWait }) => {
      onWait(reason);
      return { status: 201, unsure: false };
    };

    await createPatience({ ask, screen, texts })(post);

    assert.deepEqual(shown.map((each) => [each.mood, each.title]), [["waiting", title]]);
  });
}

/** Ask, wait for this reason, and let a person cancel; what does the till say? */
async function cancelled(reason, unsure) {
  const { screen, tap } = screenOf();
  const ask = async (_method, _path, _body, { onWait, signal }) => {
    onWait(reason);
    await soon();
    tap("cancel");
    await soon();
    assert.equal(signal.aborted, true);
    return { status: 0, unsure };
  };
  return createPatience({ ask, screen, texts })(post);
}

test("stopped while the server said that nothing was counted", async () => {
  assert.deepEqual(await cancelled("busy", false), {
    done: null,
    stopped: "Stopped. Nothing was counted.",
    isLater: false,
  });
});

test("stopped after a try that nobody answered: it may have counted", async () => {
  assert.deepEqual(await cancelled("network", true), {
    done: null,
    stopped: "Stopped. It may have counted.",
    isLater: false,
  });
});

test("the PIN pad is not covered by the waiting", async () => {
  const { screen, shown } = screenOf();
  const ask = async (_method, _path, _body, { onSignIn }) => {
    onSignIn();
    await new Promise((next) => setTimeout(next, 30));
    return { status: 201, unsure: false };
  };

  await createPatience({ ask, screen, texts, quick: 5 })(post);

  assert.deepEqual(shown, ["closed"]);
});

test("a scan may go on behind the next customer, and only a scan", async () => {
  const { screen, shown, tap } = screenOf();
  const ask = async (_method, _path, _body, { onWait, signal }) => {
    onWait("network");
    await soon();
    tap("later");
    await soon();
    assert.equal(signal.aborted, true);
    return { status: 0, unsure: true };
  };
  const patience = createPatience({ ask, screen, texts });

  const { done, isLater } = await patience(post, { later: true });
  await patience(post);

  assert.deepEqual([done, isLater], [null, true]);
  const waits = shown.filter((each) => each !== "closed");
  assert.deepEqual(waits.map(({ later }) => later), [true, false]);
});
