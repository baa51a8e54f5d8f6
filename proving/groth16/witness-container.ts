/** The .wtns file of a witness (iden3 binary format, version 2), which other provers read. */
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { SCALAR_BYTES, writeScalar } from "../curve/bn254.ts";
import { writeSections } from "./binary-file.ts";

/** @param witness all wires, 32-byte little-endian words */
export function witnessContainer(witness: Uint8Array): Uint8Array {
  const header = new Uint8Array(4 + SCALAR_BYTES + 4);
  const view = new DataView(header.buffer);
  view.setUint32(0, SCALAR_BYTES, true);
  writeScalar(view, 4, FIELD_ORDER);
  view.setUint32(4 + SCALAR_BYTES, witness.length / SCALAR_BYTES, true);
  return writeSections("wtns", [
    [1, header],
    [2, witness],
  ]);
}
