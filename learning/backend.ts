/** Loads a TensorFlow.js backend without touching the network. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { VerisumError } from "../protocol/errors.ts";

/** `auto`: wasm, or cpu where wasm does not start. `native`: the user's own installation of @tensorflow/tfjs-node. */
export type BackendChoice = "auto" | "wasm" | "cpu" | "native";
export type BackendName = "wasm" | "cpu" | "tensorflow";

const NATIVE_PACKAGE = "@tensorflow/tfjs-node";

/**
 * Makes a backend the active one of the process.
 * @throws TRAINING_BACKEND_UNAVAILABLE
 */
export async function selectBackend(choice: BackendChoice): Promise<BackendName> {
  switch (choice) {
    case "wasm":
      return activate("wasm", registerWasm);
    case "cpu":
      return activate("cpu", async () => void (await import("@tensorflow/tfjs-backend-cpu")));
    case "native":
      return activate("tensorflow", async () => void (await import(NATIVE_PACKAGE)));
    case "auto":
      return selectBackend("wasm").catch(() => selectBackend("cpu"));
  }
}

/** Production mode keeps the library from writing advice to the console. */
async function activate(name: BackendName, register: () => Promise<void>): Promise<BackendName> {
  try {
    tf.enableProdMode();
    await register();
    if (!(await tf.setBackend(name))) throw new Error(`backend ${name} did not initialise`);
    await tf.ready();
  } catch (cause) {
    throw new VerisumError(
      "TRAINING_BACKEND_UNAVAILABLE",
      `the ${name} backend cannot be loaded`,
      { backend: name },
      { cause },
    );
  }
  return name;
}

/** The wasm binaries are read from the installed package; the default would fetch a URL in some environments. */
async function registerWasm(): Promise<void> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  if (tf.findBackend("wasm") !== null) return;
  const main = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(join(dirname(main), "/"));
}
