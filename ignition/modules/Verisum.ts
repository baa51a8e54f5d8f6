/**
 * Deploys one task with Hardhat Ignition:
 *
 *   npx hardhat ignition deploy ignition/modules/Verisum.ts --network local --parameters build/ignition-parameters.json
 *
 * `npm run create-task` writes the parameters file: a `Verisum` object with `task`, `keysBlob` and `operator`.
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

export default buildModule("Verisum", (m) => {
  const verisum = m.contract("Verisum", [
    m.getParameter("task"),
    m.getParameter("keysBlob"),
    m.getParameter("operator"),
  ]);
  return { verisum };
});
