/** A load run in a terminal's tables. */
import Table from "cli-table3";
import type { LoadResult } from "./run-load.ts";

export function loadText(result: LoadResult): string {
  const {
    d,
    chunks,
    clients,
    members,
    preset,
    atOnce,
    batch,
    seconds,
    rounds,
    proveMedianMs,
    peakRssMb,
    refusals,
    verified,
    verifyProcessorMs,
  } = result;
  const phases = table(
    ["phase", "seconds"],
    Object.entries(seconds).map(([name, value]) => [PHASES[name as keyof typeof seconds], value]),
  );
  const perRound = table(
    [
      "round",
      "accepted",
      "collect s",
      "attest s",
      "aggregate s",
      "member ms/client",
      "audit CPU ms",
      "of it per submission",
      "submit gas",
      "highest",
      "finalize gas",
    ],
    rounds.map(
      ({ round, accepted, collectSeconds, attestSeconds, aggregateSeconds, memberMsPerClient, auditMs, gas }) => [
        round,
        accepted,
        collectSeconds,
        attestSeconds,
        aggregateSeconds,
        memberMsPerClient,
        auditMs,
        auditMs === null || accepted === 0 ? null : Number((auditMs / accepted).toFixed(1)),
        gas.submitMedian,
        gas.submitHighest,
        gas.finalize,
      ],
    ),
  );
  const memory = table(["process", "peak memory, MB"], Object.entries(peakRssMb));
  return [
    `${clients} clients in one process, ${atOnce} at work at a time, ${batch === null ? "each sending its own submission" : `relayed in batches of ${batch}`}; ${members} members; d = ${d.toLocaleString("en-US")}, ${chunks} chunk(s), preset ${preset}`,
    phases,
    perRound,
    memory,
    `one client's proofs beside the others': ${proveMedianMs ?? "none"} ms (median)`,
    ...refusals.map((reason) => `refused: ${reason}`),
    `fl verify: ${verifyProcessorMs ?? "no"} ms of processor time beyond its start`,
    verified ? "Every round verified from chain and IPFS alone." : "The audit FAILED.",
  ].join("\n");
}

const PHASES: Readonly<Record<keyof LoadResult["seconds"], string>> = {
  prepare: "compile, keys, task, chain",
  deployAndRegister: "deploy, fund and register everybody",
  openClients: "open all clients (within the next line)",
  rounds: "committee, clients and rounds",
  verify: "fl verify",
};

function table(head: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const text = new Table({ head: [...head], style: { head: [], border: [] } });
  text.push(
    ...rows.map((row) => row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en-US") : (cell ?? "")))),
  );
  return text.toString();
}
