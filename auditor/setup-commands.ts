/** What `fl setup` does: a ceremony's steps, over folders. Secrets are neither printed nor written. */
import { createHash } from "node:crypto";
import { platformRandom } from "../command/platform-random.ts";
import { VerisumError } from "../protocol/errors.ts";
import { PRESETS } from "../protocol/parameters.ts";
import type { Preset } from "../protocol/parameters.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { toHex } from "../protocol/transcript.ts";
import { hashVerificationKeys } from "../protocol/verification-key.ts";
import type { Source } from "../proving/ceremony/contribute.ts";
import { exportSetup } from "../proving/ceremony/export-setup.ts";
import { beginSetup, contribute, requireContributors, verifySetup } from "../proving/ceremony/setup.ts";
import type { SetupEnvironment, VerifiedSetup } from "../proving/ceremony/setup.ts";
import { parseContributorName } from "../proving/ceremony/transcript.ts";
import { readUserFile, refuseWith } from "../storage/user-file.ts";
import { transcriptCid } from "../task/keys-origin.ts";
import { closeCurve, openCurve } from "../proving/node/open-curve.ts";
import type { ContributeFlags, ExportFlags, ImportFlags, VerifySetupFlags } from "./setup-flags.ts";

/** Of a photograph or a recording. */
const MOST_ENTROPY_BYTES = 2 ** 30;
const BEACON = /^([0-9a-f]{2}){16,64}$/;

/** Begins a setup. @throws POWERS_REFUSED, USAGE */
export async function importPowers(flags: ImportFlags, reporter: Reporter): Promise<void> {
  const request = { preset: presetNamed(flags.preset), kindCount: flags.kinds, powers: flags.powers };
  await withCurve(reporter, async (environment) => {
    const setup = await beginSetup(flags.out, request, environment);
    reporter.say("good", "imported", `${flags.out}: unusable until somebody contributes to it`);
    await printSetup(setup, flags);
  });
}

/** Adds a contribution. @throws CEREMONY_REFUSED, POWERS_REFUSED, KEY_REFUSED, USAGE */
export async function contributeToSetup(flags: ContributeFlags, reporter: Reporter): Promise<void> {
  const name = parseContributorName(flags.name);
  const source = await sourceOf(flags);
  await withCurve(reporter, async (environment) => {
    const setup = await contribute(flags.setup, flags.out, name, source, environment);
    const digest = setup.transcript.digest;
    reporter.say("good", "contributed", `${flags.out}: publish this digest as yours: ${digest}`, { digest });
    await printSetup(setup, flags);
  });
}

/** Verifies a folder. @throws CEREMONY_REFUSED, CEREMONY_UNFINISHED, POWERS_REFUSED, KEY_REFUSED */
export async function verifyFolder(flags: VerifySetupFlags, reporter: Reporter): Promise<void> {
  await withCurve(reporter, async (environment) => {
    const setup = await verifySetup(flags.setup, environment);
    await printSetup(setup, flags);
    requireContributors(setup.transcript);
    reporter.say("good", "verified", "every proof holds, and the keys are those that the transcript ends with");
  });
}

/** Writes a key folder for create-task. Throws like {@link verifyFolder}. */
export async function exportKeys(flags: ExportFlags, reporter: Reporter): Promise<void> {
  await withCurve(reporter, async (environment) => {
    const setup = await exportSetup(flags.setup, flags.out, transcriptCid, environment);
    reporter.say("good", "exported", `${flags.out}: next, npm run create-task -- --keys ${flags.out}`);
    await printSetup(setup, flags);
  });
}

async function withCurve(reporter: Reporter, work: (environment: SetupEnvironment) => Promise<void>): Promise<void> {
  const curve = await openCurve();
  try {
    await work({ curve, random: platformRandom, onStep: (step) => reporter.say("info", "step", step) });
  } finally {
    await closeCurve();
  }
}

async function sourceOf({ entropy, beacon, iterations }: ContributeFlags): Promise<Source> {
  if (beacon === undefined) return { random: platformRandom, entropy: await entropyOf(entropy) };
  if (entropy !== undefined) throw new VerisumError("USAGE", "a beacon takes no entropy: it is public");
  const value = beacon.replace(/^0x/, "").toLowerCase();
  if (!BEACON.test(value)) throw new VerisumError("USAGE", "a beacon has 16 to 64 bytes, in hexadecimal");
  return { beacon: { value, iterationBits: iterations } };
}

async function entropyOf(file: string | undefined): Promise<Uint8Array> {
  if (file === undefined) return new Uint8Array(0);
  const bytes = await readUserFile(file, MOST_ENTROPY_BYTES, refuseWith("USAGE", `--entropy: ${file}`, { file }));
  return createHash("sha512").update(bytes).digest();
}

function presetNamed(name: string): Preset {
  const preset = Object.values(PRESETS).find((candidate) => candidate.name === name);
  if (preset === undefined)
    throw new VerisumError("USAGE", `there is no preset ${name}; there are ${Object.keys(PRESETS).join(" and ")}`);
  return preset;
}

/** Who contributed, in order. */
async function printSetup(
  { transcript, transcriptFiles }: VerifiedSetup,
  { format }: Pick<VerifySetupFlags, "format">,
): Promise<void> {
  const { start, contributors, beacon, digest, powersContributions, verificationKeys } = transcript;
  const data = {
    preset: start.preset,
    kinds: start.kinds.map(({ name }) => name),
    powersFile: start.source.fileSha256,
    powersContributions,
    contributors,
    ...(beacon === undefined ? {} : { beacon: `${beacon.value}, hashed 2^${beacon.iterationBits} times` }),
    digest,
    transcript: await transcriptCid(transcriptFiles),
    keysHash: toHex(hashVerificationKeys(verificationKeys)),
  };
  process.stdout.write(
    format === "json"
      ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data })}\n`
      : Object.entries(data)
          .map(
            ([key, value]) =>
              `${key.padEnd(20)} ${Array.isArray(value) ? value.join(", ") || "nobody" : String(value)}\n`,
          )
          .join(""),
  );
}
