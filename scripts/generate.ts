/**
 * Writes every generated file from its source.
 *
 *   npm run generate               writes
 *   npm run generate -- --check    writes nothing; names each file that differs and exits with 1
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createProgram } from "../command/program.ts";
import { generateAbiFiles } from "./generate-abi.ts";
import { generateCircuitFiles } from "./generate-circuits.ts";
import { generateContractFiles } from "./generate-contracts.ts";
import { generateReleasedCode } from "./generate-released-code.ts";
import { generateDocFiles } from "./generate-docs.ts";
import { generateScaleFiles } from "./docs/scale-arithmetic.ts";
import { generateVectorFiles } from "./generate-vectors.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Contents by path from the project's root. */
function generateAll(): Record<string, string> {
  const docs = generateDocFiles();
  return {
    ...generateContractFiles(),
    ...generateAbiFiles(),
    ...generateReleasedCode(),
    ...generateCircuitFiles(),
    ...docs,
    ...generateScaleFiles(docs["docs/bench.md"]),
    ...generateVectorFiles(),
  };
}

function present(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch {
    return undefined;
  }
}

const program = createProgram("generate", "write every generated file from its source").option(
  "--check",
  "write nothing; name each file that differs and exit with 1",
  false,
);
const { check } = (await program.parseAsync()).opts<{ readonly check: boolean }>();
const changed = Object.entries(generateAll()).filter(([path, content]) => present(path) !== content);
for (const [path, content] of changed) {
  process.stderr.write(
    `${path} ${check ? "differs from what its source generates; run: npm run generate" : "written"}\n`,
  );
  if (check) continue;
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), content);
}
if (check && changed.length > 0) process.exitCode = 1;
