import { createRequire } from "node:module";
import hardhatEthers from "@nomicfoundation/hardhat-ethers";
import hardhatIgnition from "@nomicfoundation/hardhat-ignition-ethers";
import { defineConfig, overrideTask } from "hardhat/config";
import { HardhatPluginError } from "hardhat/plugins";

const require = createRequire(import.meta.url);

/** One compiler for every build profile: what is tested is what is deployed. */
const compilers = [
  {
    version: "0.8.37",
    path: require.resolve("solc/soljson.js"),
    settings: {
      viaIR: true,
      optimizer: { enabled: true, runs: 200 },
      evmVersion: "osaka",
      metadata: { bytecodeHash: "none", appendCBOR: false },
    },
  },
];

/** Hardhat finds no tests of its own here, and would end with success: the tests are mocha's. */
const test = overrideTask("test")
  .setInlineAction(() => {
    throw new HardhatPluginError("verisum", "Hardhat runs no tests here. Run: npm test -- contracts");
  })
  .build();

export default defineConfig({
  tasks: [test],
  plugins: [hardhatEthers, hardhatIgnition],
  solidity: { profiles: { default: { compilers }, production: { compilers } } },
  networks: {
    // A call can cost more than its estimate when it is mined a second later (a timestamp is written): leave a margin.
    node: { type: "edr-simulated", chainType: "l1", allowBlocksWithSameTimestamp: true, gasMultiplier: 1.5 },
    local: { type: "http", chainType: "l1", url: process.env.VERISUM_RPC ?? "http://127.0.0.1:8545" },
  },
});
