import { afterEach, beforeEach, describe, it } from "mocha";
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeRecord } from "../../storage/durable-file.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import { openJournal } from "../../client/journal.ts";
import type { Journal, JournalEntry, PrivateVector, VectorName } from "../../client/journal.ts";
import { G1_GENERATOR, G2_GENERATOR } from "../../protocol/points.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";

const ENTRY: JournalEntry = {
  round: 7n,
  base: 4n,
  baseModelDigest: word("base"),
  parametersHash: word("parameters"),
  weight: 3,
  roundKeys: [word("key 1"), word("key 2")],
  submission: {
    base: 4n,
    commitment: G1_GENERATOR,
    sharesCid: word("cid"),
    shareHashes: [word("share 1"), word("share 2")],
    chunks: [{ d: G1_GENERATOR, a: G1_GENERATOR, b: G2_GENERATOR, c: G1_GENERATOR, y: 2n ** 253n, h: 0n }],
    shareEvaluations: [5n],
    opening: G1_GENERATOR,
  },
};

describe("a client's journal", () => {
  let directory: string;
  let state: StateDirectory;
  let journal: Journal;
  const path = (): string => state.file("scope", `submission-7-${ENTRY.baseModelDigest.slice(2)}.json`);
  const find = (from = journal): ReturnType<Journal["find"]> => from.find(ENTRY.round, ENTRY.baseModelDigest);
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-journal-"));
    state = await openStateDirectory(directory);
    journal = openJournal(state, "scope");
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const rounds = async (of = journal): Promise<readonly bigint[]> => (await of.submissions()).map(({ round }) => round);

  it("lists the rounds that it has submissions for, in order", async () => {
    assert.deepEqual(await journal.submissions(), []);
    for (const round of [11n, 2n, 7n]) await journal.keep({ ...ENTRY, round });
    await journal.setAudited({ round: 3n, modelDigest: word("model"), parametersHash: word("parameters") });
    await journal.sitOut(5n);
    assert.deepEqual(
      await openJournal(state, "scope").submissions(),
      [2n, 7n, 11n].map((round) => ({ round, baseModelDigest: ENTRY.baseModelDigest })),
    );
  });

  it("finds after a restart exactly the submission that it kept", async () => {
    assert.equal(await find(), undefined);
    await journal.keep(ENTRY);
    await state.release();
    state = await openStateDirectory(directory);
    assert.deepEqual(await find(openJournal(state, "scope")), ENTRY);
    assert.equal((await stat(path())).mode & 0o077, 0, "readable by its owner only");
  });

  it("refuses a second submission for the same round and base model, whatever else changed", async () => {
    await journal.keep(ENTRY);
    const second = { ...ENTRY, submission: { ...ENTRY.submission, sharesCid: word("second") } };
    for (const change of [
      {},
      { parametersHash: word("other") },
      { weight: 4 },
      { roundKeys: [word("key 1"), word("other")] },
    ])
      await rejectsCode(journal.keep({ ...second, ...change }), "ROUND_EQUIVOCATION");
    assert.deepEqual(await find(), ENTRY);
  });

  it("keeps what was made for another base model or round beside it, and forgets neither", async () => {
    const others = [
      { ...ENTRY, baseModelDigest: word("other") },
      { ...ENTRY, round: 8n },
    ];
    await journal.keep(ENTRY);
    for (const other of others) {
      assert.equal(await journal.find(other.round, other.baseModelDigest), undefined);
      await journal.keep(other);
    }
    for (const entry of [ENTRY, ...others])
      assert.deepEqual(await journal.find(entry.round, entry.baseModelDigest), entry);
    assert.deepEqual(await rounds(), [7n, 7n, 8n]);
  });

  it("counts a record of version 1 of the directory, which names no keys, as made for any base model", async () => {
    await journal.keep(ENTRY);
    const { roundKeys: _, ...old } = JSON.parse(
      (JSON.parse(await readFile(path(), "utf8")) as { body: string }).body,
    ) as JournalEntry;
    await rm(path());
    await writeFile(state.file("scope", "submission-7.json"), encodeRecord(old));
    await rejectsCode(find(), "ROUND_RECORD_DAMAGED");
    await rejectsCode(journal.find(7n, word("other")), "ROUND_RECORD_DAMAGED");
    await rejectsCode(journal.keep(ENTRY), "ROUND_RECORD_DAMAGED");
    assert.deepEqual(await journal.submissions(), [{ round: 7n, baseModelDigest: undefined }]);
  });

  it("keeps scopes apart", async () => {
    await journal.keep(ENTRY);
    assert.equal(await find(openJournal(state, "another account")), undefined);
  });

  it("counts a damaged submission as sent, and makes no second one", async () => {
    await journal.keep(ENTRY);
    const whole = await readFile(path());
    const damaged: Record<string, Uint8Array | string> = {
      empty: "",
      truncated: whole.subarray(0, -20),
      zeroed: new Uint8Array(whole.length),
      "one bit flipped": Uint8Array.from(whole, (byte, i) => (i === 200 ? byte ^ 1 : byte)),
      "another record": encodeRecord({ round: "7" }),
      "an extra field": encodeRecord({
        ...(JSON.parse((JSON.parse(whole.toString()) as { body: string }).body) as object),
        extra: 1,
      }),
    };
    for (const bytes of Object.values(damaged)) {
      await writeFile(path(), bytes);
      await rejectsCode(find(), "ROUND_RECORD_DAMAGED");
      await rejectsCode(journal.keep(ENTRY), "ROUND_RECORD_DAMAGED");
      assert.deepEqual(await rounds(), [7n]);
    }
  });

  it("remembers which model it audited, and audits from the start with a damaged memory", async () => {
    const parametersHash = word("parameters");
    assert.equal(await journal.audited(parametersHash), undefined);
    const record = { round: 12n, modelDigest: word("model") };
    await journal.setAudited({ ...record, parametersHash });
    assert.deepEqual(await openJournal(state, "scope").audited(parametersHash), record);
    assert.equal(await journal.audited(word("another task")), undefined, "another deployment at the same address");
    await writeFile(state.file("scope", "audited-model.json"), encodeRecord({ ...record, round: "12" }));
    assert.equal(await journal.audited(parametersHash), undefined, "of which task, it does not say");
    for (const damaged of [
      encodeRecord({}),
      encodeRecord({ round: "-1", modelDigest: word("model") }),
      encodeRecord({ round: "12" }),
      encodeRecord("12"),
      "12",
    ]) {
      await writeFile(state.file("scope", "audited-model.json"), damaged);
      assert.equal(await journal.audited(parametersHash), undefined);
    }
  });

  it("draws no second noise where the note that the first did not fit is damaged", async () => {
    for (const damaged of ["", "12", new Uint8Array(40)]) {
      await writeFile(state.file("scope", "sat-out-7.json"), damaged).catch(async () => {
        await journal.sitOut(7n);
        await writeFile(state.file("scope", "sat-out-7.json"), damaged);
      });
      assert.equal(await journal.satOut(7n), true);
    }
    assert.equal(await journal.satOut(8n), false);
  });

  describe("and its vectors", () => {
    const VECTOR: PrivateVector = {
      ...{ base: 9n, firstRound: 12n, baseModelDigest: word("base") },
      coordinates: Int32Array.of(-2048, 0, 2047),
    };
    const vectorFile = ({ base, firstRound, baseModelDigest }: VectorName): string =>
      state.file("scope", `vector-${base}-${firstRound}-${baseModelDigest.slice(2)}.json`);

    it("are found after a restart as they were drawn, readable by their owner only, and never replaced", async () => {
      await journal.keepVector(VECTOR);
      await rejectsCode(journal.keepVector({ ...VECTOR, coordinates: Int32Array.of(1) }), "ROUND_EQUIVOCATION");
      await state.release();
      state = await openStateDirectory(directory);
      const again = openJournal(state, "scope");
      const { coordinates, ...name } = VECTOR;
      assert.deepEqual(await again.vectors(), [name]);
      assert.deepEqual((await again.vector(name)).coordinates, coordinates);
      assert.equal((await stat(vectorFile(VECTOR))).mode & 0o077, 0);
    });

    it("are named by model and round in order, and erased but for the last two, which leaves their names", async () => {
      const names = [
        { base: 10n, firstRound: 12n },
        { base: 9n, firstRound: 14n },
        { base: 9n, firstRound: 9n },
      ].map((name) => ({ ...VECTOR, ...name }));
      for (const vector of names.toReversed()) await journal.keepVector(vector);
      const ordered = names.toReversed().map(({ coordinates: _, ...name }) => name);
      assert.deepEqual(await journal.vectors(), ordered);
      await rejectsCode(journal.vector(ordered[0]!), "ROUND_RECORD_DAMAGED");
      for (const name of ordered.slice(1)) assert.equal((await journal.vector(name)).coordinates.length, 3);
      assert.equal((await readFile(vectorFile(ordered[0]!))).length, 0);
      await rejectsCode(journal.keepVector({ ...VECTOR, ...ordered[0] }), "ROUND_EQUIVOCATION");
    });

    it("count as drawn where they are damaged, or where another copy of the directory may have one", async () => {
      await journal.keepVector(VECTOR);
      const whole = await readFile(vectorFile(VECTOR));
      for (const damaged of [whole.subarray(0, -9), "", encodeRecord({ base: "9" })]) {
        await writeFile(vectorFile(VECTOR), damaged);
        await rejectsCode(journal.vector(VECTOR), "ROUND_RECORD_DAMAGED");
        await rejectsCode(journal.keepVector(VECTOR), "ROUND_EQUIVOCATION");
      }
      const lost = { base: 10n, firstRound: 13n, baseModelDigest: word("newest") };
      await journal.loseVector(lost);
      assert.deepEqual((await journal.vectors()).at(-1), lost);
      await rejectsCode(journal.vector(lost), "ROUND_RECORD_DAMAGED");
    });
  });
});
