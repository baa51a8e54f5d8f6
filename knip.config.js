/**
 * What nothing uses: files, exports and dependencies (`npm run check`).
 * @type {import("knip").KnipConfig}
 */
export default {
  // What somebody starts by name: a command, a script of package.json, a measurement, a process of another, a test.
  entry: [
    "bin/*.mjs",
    "{client,auditor,aggregator,operator}/cli.ts",
    "{client,member,aggregator,auditor,operator,learning,protocol}/door.ts",
    "examples/*.ts",
    "dashboard/{main.tsx,participate/main.tsx,vite.config.ts,verifier/worker.ts}",
    "demo/{demo,boosting-client,throttled-client}.ts",
    "experiments/*.ts",
    "experiments/bench/{kernels,provers}.ts",
    "scripts/*.{ts,js}",
    "scripts/mutation/{chain,worker}.ts",
    "ignition/modules/*.ts",
    "test/**/*.test.ts",
    "test/browser/page.ts",
    "test/adversarial/{crash-points,run}.ts",
    "test/simulation/worker.ts",
    "test/properties/solc.mjs",
    "test/support/{command-lines,idle-processes,noise-process,write-round-vector}.ts",
  ],
  project: ["**/*.{ts,tsx,js,mjs}"],
  // A type that a file's own signatures use is part of what the file offers, imported by name or not.
  ignoreExportsUsedInFile: { interface: true, type: true },
  // Programs that are resolved by name, and the circuits that the circuits include.
  ignoreDependencies: ["@foundry-rs/anvil", "@foundry-rs/forge", "circom2", "circomlib", "solhint"],
  // Generated files offer every shape of the contract, whether or not something reads it yet.
  ignoreIssues: { "**/generated/**": ["exports", "types"] },
  // Kubo and Go, where they are installed: tests exchange blocks with the one, and run a suite by the other. A test
  // makes a certificate with openssl, another one a pipe.
  ignoreBinaries: ["geth", "go", "ipfs", "mkfifo", "mount", "openssl", "systemd-analyze", "umount"],
};
