/**
 * Makes development keys: `node scripts/setup-dev.ts --preset standard --kinds 2 --powers 4096`.
 * They are for development: this process knows their secrets. They are kept in build/keys and made once.
 */
import { Option } from "commander";
import { positiveInteger } from "../command/options.ts";
import { platformRandom as random } from "../command/platform-random.ts";
import { createProgram } from "../command/program.ts";
import { closeCurve, openCurve } from "../proving/node/open-curve.ts";
import { ensureDevKeys } from "../proving/groth16/ensure-keys.ts";
import type { KeySet } from "../proving/groth16/key-set.ts";
import { PRESETS } from "../protocol/parameters.ts";
import type { Preset, PresetName } from "../protocol/parameters.ts";

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
  const { preset, kinds, powers } = (
    await createProgram("setup-dev", "make development keys (one machine knows their secrets)")
      .addOption(new Option("--preset <name>", "circuit sizes").choices(Object.keys(PRESETS)).default("tiny"))
      .option("--kinds <n>", "chunk sizes", positiveInteger, 1)
      .option("--powers <n>", "elements of the longest vector to commit to", positiveInteger, 1024)
      .parseAsync()
  ).opts<{ readonly preset: PresetName; readonly kinds: number; readonly powers: number }>();
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  try {
    await setUpDevelopmentKeys(PRESETS[preset], kinds, powers, report);
  } finally {
    await closeCurve();
  }
}

if (import.meta.main) await main();
