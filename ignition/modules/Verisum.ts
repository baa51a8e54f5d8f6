/**
 * Deploys one task.
 *
 *   npx hardhat ignition deploy ignition/modules/Verisum.ts --network local --build-profile default --parameters ignition/parameters.json
 *
 * The profile matters: Ignition's own default builds without these settings, and the contract then exceeds the size limit.
 * The parameters file has a `Verisum` object with `task` (TaskParameters), `keysBlob` (encoded verification keys, hex) and `operator`.
 */
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

export default buildModule("Verisum", (m) => {
  const verisum = m.contract("Verisum", [m.getParameter("task"), m.getParameter("keysBlob"), m.getParameter("operator")]);
  return { verisum };
});
