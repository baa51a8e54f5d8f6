/**
 * A source of random bytes. Production code passes a CSPRNG; tests pass a seeded stream.
 * Nothing in `protocol/` draws randomness on its own.
 */
export type RandomBytes = (byteLength: number) => Uint8Array;
