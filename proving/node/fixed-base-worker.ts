/**
 * Worker thread of `fixed-base.ts`: answers one request with the points. It must not load the engine's own package,
 * which expects to own its threads.
 */
import { parentPort } from "node:worker_threads";
import { instantiateEngine, multiplyGenerator } from "../curve/fixed-base-kernel.ts";
import type { GroupName } from "../curve/fixed-base-kernel.ts";

export interface FixedBaseRequest {
  /** The engine's WebAssembly module. */
  readonly code: Uint8Array;
  readonly group: GroupName;
  readonly generator: Uint8Array;
  readonly scalars: Uint8Array;
}

const port = parentPort!;
port.once("message", (request: FixedBaseRequest) => {
  void answer(request);
});

async function answer({ code, group, generator, scalars }: FixedBaseRequest): Promise<void> {
  port.postMessage(multiplyGenerator(await instantiateEngine(code), group, generator, scalars));
}
