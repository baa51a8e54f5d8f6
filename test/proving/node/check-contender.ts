/** A process that checks contents once, in the folder that its parent names, and says when its check begins. */
import { once } from "node:events";
import { checksOf } from "../../../proving/node/check-record.ts";

const [directory, release, text] = process.argv.slice(2) as [string, string, string];
const checkOnce = await checksOf("no-folder", { directory, release });
await checkOnce("contents", [new TextEncoder().encode(text)], async () => {
  process.send!("checking");
  await once(process, "message");
});
process.send!("passed");
process.disconnect();
