/** The one source of randomness of participants: no option, variable or file replaces or seeds it. */
import { randomFillSync } from "node:crypto";
import type { RandomBytes } from "../protocol/random.ts";

/** The platform's CSPRNG, seeded by the operating system in each process. */
export const platformRandom: RandomBytes = (byteLength) => randomFillSync(new Uint8Array(byteLength));
