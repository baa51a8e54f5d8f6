/** Plays the published vector's rounds anew and writes them (`npm run vector`). */
import { closeEngine } from "./proving.ts";
import { playRoundVector, writeRoundVector } from "./round-vector.ts";

await writeRoundVector(await playRoundVector());
await closeEngine();
