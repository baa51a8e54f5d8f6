/**
 * Writing Protocol Buffers (protobuf.dev, "Encoding"): fields one after the other, each a number with its wire type and
 * then a varint or bytes with their length before them.
 */
import { concatenate } from "../../protocol/bytes.ts";

const VARINT = 0;
const BYTES = 2;

/** One field as bytes. */
export type Field = Uint8Array;

/** A whole number, or true and false as 1 and 0; negative ones in two's complement of 64 bits. */
export function integer(field: number, value: number | bigint): Field {
  return concatenate([varint(key(field, VARINT)), varint(BigInt.asUintN(64, BigInt(value)))]);
}

export function bytes(field: number, value: Uint8Array): Field {
  return concatenate([varint(key(field, BYTES)), varint(BigInt(value.length)), value]);
}

export function text(field: number, value: string): Field {
  return bytes(field, new TextEncoder().encode(value));
}

/** A message within a message. */
export function message(field: number, fields: readonly Field[]): Field {
  return bytes(field, concatenate(fields));
}

/** A list of whole numbers, packed. */
export function integers(field: number, values: readonly number[]): Field {
  return bytes(field, concatenate(values.map((value) => varint(BigInt.asUintN(64, BigInt(value))))));
}

function key(field: number, wireType: number): bigint {
  return BigInt(field * 8 + wireType);
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. */
function varint(value: bigint): Uint8Array {
  const found: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    found.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(found);
}
