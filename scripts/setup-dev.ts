/**
 * Makes development keys: `node scripts/setup-dev.ts --preset standard --kinds 2 --powers 4096`.
 * The keys are INSECURE: this process knows their secrets. They are kept in build/keys and made once.
 */
import { parseArgs } from "node:util";
import { platformRandom as random } from "../command/platform-random.ts";
import { closeCurve, openCurve } from "../proving/node/open-curve.ts";
import { ensureDevKeys } from "../proving/groth16/ensure-keys.ts";
import type { KeySet } from "../proving/groth16/key-set.ts";
import { VerisumError } from "../protocol/errors.ts";
import { PRESETS } from "../protocol/parameters.ts";
import type { Preset } from "../protocol/parameters.ts";

/**
 * Loads or makes the keys of the preset's first `kindCount` chunk sizes, and reports each slow step.
 * @param powers elements of the longest vector to commit to
 */
export async function setUpDevelopmentKeys(
  preset: Preset,
  kindCount: number,
  powers: number,
  report: (line: string) => void,
): Promise<KeySet> {
  const keys = await ensureDevKeys({ preset, kindCount, powers }, { curve: await openCurve(), random, onStep: report });
  report(`${preset.name} keys of ${kindCount} chunk size(s) and ${keys.manifest.powers} powers: ${keys.directory}`);
  report(keys.manifest.notice);
  return keys;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      preset: { type: "string", default: "tiny" },
      kinds: { type: "string", default: "1" },
      powers: { type: "string", default: "1024" },
    },
  });
  const preset = (PRESETS as Readonly<Record<string, Preset>>)[values.preset];
  if (preset === undefined)
    throw new VerisumError(
      "USAGE",
      `there is no preset ${values.preset}; there are ${Object.keys(PRESETS).join(" and ")}`,
    );
  try {
    await setUpDevelopmentKeys(
      preset,
      Number(values.kinds),
      Number(values.powers),
      (line) => void process.stderr.write(`${line}\n`),
    );
  } finally {
    await closeCurve();
  }
}

if (import.meta.main) await main();
