import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { parseSpecification } from "../../task/create-task.ts";
import { countedRounds, ownPrivacyLine } from "../../task/own-privacy.ts";
import { privacySummary } from "../../task/privacy-summary.ts";
import { finalizeMemoryRound, openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";

const specification = parseSpecification(
  JSON.parse(readFileSync(new URL("../../tasks/digits-private.json", import.meta.url), "utf8")),
);

describe("a client's own privacy", () => {
  it("is of the settled rounds that count it, in its own place and in the one that it took", async () => {
    const task = await openMemoryTask();
    const { operator, clients, stranger } = task;
    for (const round of [1n, 2n]) {
      await openMemoryRound(task);
      await settleMemoryRound(task, round);
      if (round === 1n) await finalizeMemoryRound(task, round, "first");
    }
    await clients[0]!.nameSuccessor(stranger.account);
    await stranger.takePlace(clients[0]!.account);
    const look = await operator.look();
    assert.equal(countedRounds(look, stranger.account), 2);
    assert.equal(countedRounds(look, clients[1]!.account), 2);
    assert.equal(countedRounds(look, operator.account), 0);
  });

  it("is stated for the rounds that one client may be counted in", () => {
    const parameters = { dimension: 650, minHonest: specification.clients.minHonest, privacyBudget: 20n };
    const task = { document: specification.document, parameters: { ...parameters, maxRoundsPerClient: 5 } };
    const own = privacySummary({ ...task, parameters: { ...task.parameters, privacyBudget: 5n } }, 2)!;
    const line = ownPrivacyLine(task, 2)!;
    assert.match(line, /^counted in 2 rounds: epsilon .*; 3 of 5 rounds remain$/);
    assert.ok(line.includes(`epsilon ${own.epsilon.rdp.spent} of ${own.epsilon.rdp.budget} `), line);
    const whole = ownPrivacyLine({ ...task, parameters: { ...task.parameters, maxRoundsPerClient: 0 } }, 2)!;
    assert.match(whole, /18 of 20 rounds remain$/);
  });
});
