import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { inLanes } from "./lanes.ts";

const LANES = [["endpoint"], ["crash", "reorganisation"]];

describe("parts of the adversarial test", () => {
  /** What happened, in its order; each part ends when it is told to. */
  const play = (
    names: readonly string[],
  ): {
    readonly happened: string[];
    readonly done: Promise<readonly string[]>;
    readonly end: (name: string, failure?: Error) => Promise<void>;
  } => {
    const happened: string[] = [];
    const ends = new Map<string, (failure?: Error) => void>();
    const run = (name: string): Promise<string> => {
      happened.push(`${name} begins`);
      return new Promise((resolve, reject) => {
        ends.set(name, (failure) => (failure === undefined ? resolve(name) : reject(failure)));
      });
    };
    const keep = async (reports: readonly string[]): Promise<void> => void happened.push(`kept ${reports.join()}`);
    const done = inLanes(names, LANES, run, keep);
    done.catch(() => undefined);
    const end = async (name: string, failure?: Error): Promise<void> => {
      ends.get(name)!(failure);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { happened, done, end };
  };

  it("follow one another in their lane, beside the other lanes and what has none, and are kept as they end", async () => {
    const { happened, done, end } = play(["endpoint", "crash", "reorganisation", "schedules"]);
    assert.deepEqual(happened.splice(0), ["endpoint begins", "crash begins", "schedules begins"]);
    await end("crash");
    assert.deepEqual(happened.splice(0), ["kept crash", "reorganisation begins"]);
    await end("schedules");
    await end("endpoint");
    assert.deepEqual(happened.splice(0), ["kept crash,schedules", "kept endpoint,crash,schedules"]);
    await end("reorganisation");
    assert.deepEqual(await done, ["endpoint", "crash", "reorganisation", "schedules"]);
  });

  it("are those that were asked for", async () => {
    const { happened, done, end } = play(["reorganisation"]);
    await end("reorganisation");
    assert.deepEqual(await done, ["reorganisation"]);
    assert.deepEqual(happened, ["reorganisation begins", "kept reorganisation"]);
  });

  it("end with a part's own failure, once the other lanes have ended and are kept", async () => {
    const { happened, done, end } = play(["endpoint", "crash", "reorganisation"]);
    await end("crash", new Error("a worker ended"));
    await end("endpoint");
    await assert.rejects(done, /a worker ended/);
    assert.deepEqual(happened, ["endpoint begins", "crash begins", "kept endpoint"]);
  });
});
