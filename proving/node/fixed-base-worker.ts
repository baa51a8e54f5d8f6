/**
 * Worker thread of `fixed-base.ts`: answers one request with the points. It must not load the engine's own package,
 * which expects to own its threads.
 */
import { parentPort } from "node:worker_threads";
import type { EngineMemory } from "ffjavascript";
import { multiplyGenerator } from "../curve/fixed-base-kernel.ts";
import type { EngineInstance, GroupName } from "../curve/fixed-base-kernel.ts";

export interface FixedBaseRequest {
  /** The engine's WebAssembly module. */
  readonly code: Uint8Array;
  readonly group: GroupName;
  readonly generator: Uint8Array;
  readonly scalars: Uint8Array;
}

/** The engine's global, which the compiler settings do not declare. */
interface WasmGlobal {
  readonly Memory: new (descriptor: { readonly initial: number }) => EngineMemory;
  instantiate(
    code: Uint8Array,
    imports: { readonly env: { readonly memory: EngineMemory } },
  ): Promise<{ readonly instance: { readonly exports: unknown } }>;
}

const INITIAL_PAGES = 25;
const port = parentPort!;
port.once("message", (request: FixedBaseRequest) => {
  void answer(request);
});

async function answer({ code, group, generator, scalars }: FixedBaseRequest): Promise<void> {
  const { Memory, instantiate } = (globalThis as unknown as { WebAssembly: WasmGlobal }).WebAssembly;
  const memory = new Memory({ initial: INITIAL_PAGES });
  const { instance } = await instantiate(code, { env: { memory } });
  port.postMessage(
    multiplyGenerator({ exports: instance.exports as EngineInstance["exports"], memory }, group, generator, scalars),
  );
}
