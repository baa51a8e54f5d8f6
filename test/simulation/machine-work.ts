/** Files and cryptography take the machine's time, on which no schedule may depend: nobody acts until it is over. */
import { createHook } from "node:async_hooks";
import { setImmediate } from "node:timers/promises";

/** Turns of the event loop without any: what ends may lead to more a turn later. */
const CALM_TURNS = 3;

const underWay = new Set<number>();
createHook({
  init: (id, type) => {
    if (/^FSREQ|REQ(UEST)?$/.test(type)) underWay.add(id);
  },
  after: (id) => void underWay.delete(id),
  destroy: (id) => void underWay.delete(id),
}).enable();

/** Once no role reads or writes a file, or waits for a hash, a key or a cipher. */
export async function machineWorkDone(): Promise<void> {
  for (let calm = 0; calm < CALM_TURNS;) {
    await setImmediate();
    calm = underWay.size > 0 ? 0 : calm + 1;
  }
}
