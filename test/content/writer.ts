import { createContentStore } from "../../content/store.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { seededBytes } from "./support.ts";

// Puts directories one after another and reports each, until it is killed.
const [directory = "", run = "0"] = process.argv.slice(2);
const store = await createContentStore({ directory, peers: () => [], reporter: createRecorder() });
for (let index = 1; ; index += 1) {
  const cid = await store.putDirectory({
    a: seededBytes(index * 2 + 100 * Number(run), 50_000),
    b: seededBytes(index, 2_000_000),
  });
  process.send?.(cid);
}
