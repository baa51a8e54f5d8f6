import { seededBytes, text } from "./support.ts";

/** Directories that several implementations build, to be compared by CID. */
export const DIRECTORIES: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {
  small: { "config.json": text("{}") },
  empty: { "empty.bin": new Uint8Array(0) },
  chunk: { "exactly.bin": seededBytes(51, 1_048_576), "more.bin": seededBytes(53, 1_048_577) },
  model: {
    "model.safetensors": seededBytes(55, 3 * 1_048_576 + 17),
    "config.json": text('{"round":3}'),
    "é \u{1f600} <b>.txt": text("x"),
  },
  many: Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`share-${index}.bin`, seededBytes(index + 1, 40)]),
  ),
  wide: { "zeros.bin": new Uint8Array(180 * 1_048_576) }, // more chunks than the 174 of Kubo's former default
};

/** Their CIDs according to boxo 0.39.0 with its preset UnixFS_v1_2025, printed by boxo-peer. */
export const BOXO_CIDS: Readonly<Record<string, string>> = {
  small: "bafybeiagficghkzzejzmtx5c6deeviab5h4o3a3wuffdymdxqgoko45cjq",
  empty: "bafybeigl62ftvki6n6lwpot4c6c2cdaswgcm3vqvuu2xo4leq5hczk3d2i",
  chunk: "bafybeihe2oiq4kcfrajs6smt2zly3hotn44oelg6n7m4owxnixiygvq6di",
  model: "bafybeihquzgb4rfnccyvx7gjmciyn6sycdedwepm6y6x4ppg652o27ny54",
  many: "bafybeiecajcwkjmkd3tdx4vl3sjolao3hkxvk5bqocwp2v35bkttrybtj4",
  wide: "bafybeicxdcivnsofgii6xnfvylsukzw22ltjh56kadck22hlnyqr6vffuy",
};
