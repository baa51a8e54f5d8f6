import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { inOrder } from "./in-order.ts";

describe("parts of the adversarial test", () => {
  /** What happened, in its order; `schedules` ends when it is told to. */
  const play = (
    names: readonly string[],
    until: Promise<unknown> = Promise.resolve(),
  ): { readonly happened: string[]; readonly done: Promise<readonly string[]> } => {
    const happened: string[] = [];
    const run = async (name: string): Promise<string> => {
      happened.push(`${name} begins`);
      await (name === "schedules" ? until : Promise.resolve());
      happened.push(`${name} ends`);
      return name;
    };
    const keep = async (reports: readonly string[]): Promise<void> => void happened.push(`kept ${reports.join()}`);
    return { happened, done: inOrder(names, "schedules", run, keep) };
  };

  it("follow one another, with the schedules beside all of them", async () => {
    let end: (value?: unknown) => void = () => undefined;
    const { happened, done } = play(["endpoint", "crash", "schedules"], new Promise((resolve) => (end = resolve)));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(happened.splice(0), [
      ...["schedules begins", "endpoint begins", "endpoint ends", "kept endpoint"],
      ...["crash begins", "crash ends", "kept endpoint,crash"],
    ]);
    end();
    assert.deepEqual(await done, ["endpoint", "crash", "schedules"]);
    assert.deepEqual(happened, ["schedules ends", "kept endpoint,crash,schedules"]);
  });

  it("are those that were asked for", async () => {
    const { happened, done } = play(["crash"]);
    assert.deepEqual(await done, ["crash"]);
    assert.deepEqual(happened, ["crash begins", "crash ends", "kept crash"]);
  });

  it("end with the schedules' own failure, when the others are kept", async () => {
    const { happened, done } = play(["endpoint", "schedules"], Promise.reject(new Error("a worker ended")));
    await assert.rejects(done, /a worker ended/);
    assert.deepEqual(happened.at(-1), "kept endpoint");
  });
});
