/** Compiles the contracts' interfaces, alone, for the ABIs, shapes and signed types that `chain` works with. */
import { fileURLToPath } from "node:url";
import { compileInterface } from "./abi/compile.ts";
import { abiModule, shapesModule, typedDataModule } from "./abi/typescript.ts";

const CONTRACTS = fileURLToPath(new URL("../contracts/", import.meta.url));
const TARGET = "chain/generated";

/**
 * Contents by path from the project's root.
 * @param contracts folder of the contracts; another one in tests of what a change leads to
 * @throws Error if the compiler refuses them
 */
export function generateAbiFiles(contracts = CONTRACTS): Record<string, string> {
  const [task, group, signed] = [
    "interfaces/IVerisum.sol",
    "interfaces/ICellGroup.sol",
    "libraries/Signatures.sol",
  ] as const;
  const [verisum, cellGroup] = [compileInterface(contracts, task), compileInterface(contracts, group)];
  return {
    [`${TARGET}/verisum-abi.ts`]: abiModule("VERISUM_ABI", task, verisum),
    [`${TARGET}/verisum.ts`]: shapesModule("Verisum", task, verisum),
    [`${TARGET}/cell-group-abi.ts`]: abiModule("CELL_GROUP_ABI", group, cellGroup),
    [`${TARGET}/cell-group.ts`]: shapesModule("CellGroup", group, cellGroup),
    [`${TARGET}/typed-data.ts`]: typedDataModule(signed, compileInterface(contracts, signed)),
  };
}
