/** What a round may cost on two cores, by model size, and whether a measurement does. */
import type { BenchRow } from "./rows.ts";

/** Milliseconds; the size in a row stands for sizes up to it. */
interface TimeTarget {
  readonly dimension: number;
  /** After training, to the finished call. */
  readonly client: number;
  readonly proofs: number;
  /** One client's share. */
  readonly memberCheck: number;
  readonly aggregatorRound: number;
  /** Processor time for one submission among 20 or more. */
  readonly audit: number;
}

const TIME_TARGETS_MS: readonly TimeTarget[] = [
  { dimension: 2_410, client: 800, proofs: 600, memberCheck: 50, aggregatorRound: 500, audit: 5 },
  { dimension: 10_000, client: 1_000, proofs: 600, memberCheck: 50, aggregatorRound: 500, audit: 5 },
  { dimension: 100_000, client: 4_500, proofs: 4_000, memberCheck: 200, aggregatorRound: 1_500, audit: 20 },
  { dimension: 1_200_000, client: 45_000, proofs: 40_000, memberCheck: 2_000, aggregatorRound: 10_000, audit: 200 },
];
/** Submissions in one product from which its fixed part is small. */
const AUDITED_TOGETHER = 20;
const SUBMIT_GAS = 450_000;
const FURTHER_CHUNK_GAS = 70_000;
/** For each client of a batch of 20, one chunk each. */
const BATCHED_SUBMIT_GAS = 150_000;
const FINALIZE_GAS = 260_000;
const CLIENT_MEMORY_MB = 2_000;

export interface Verdict {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
  readonly unit: "ms" | "gas" | "MB";
  readonly met: boolean;
}

/** One verdict for each limit that applies to the row's size. */
export function verdictsOf({ d, chunks, clients, client, audit, member, aggregator, gas }: BenchRow): Verdict[] {
  const verdict = (what: string, unit: Verdict["unit"], measured: number, limit: number): Verdict => ({
    what,
    unit,
    measured,
    limit,
    met: measured <= limit,
  });
  const time = TIME_TARGETS_MS.find(({ dimension }) => d <= dimension);
  const times =
    time === undefined
      ? []
      : [
          verdict("client wall", "ms", client.totalMs, time.client),
          verdict("proofs", "ms", client.proveMs, time.proofs),
          ...(audit === undefined || clients < AUDITED_TOGETHER
            ? []
            : [
                verdict(
                  `audit of one of ${clients} submissions, processor`,
                  "ms",
                  audit.processorMs / clients,
                  time.audit,
                ),
              ]),
          verdict("member check", "ms", member.checkMsPerClient, time.memberCheck),
          verdict("aggregator round", "ms", aggregator.roundMs, time.aggregatorRound),
        ];
  const batched =
    chunks === 1 && gas.submitBatched20 !== null
      ? [verdict("submit in a batch of 20", "gas", gas.submitBatched20, BATCHED_SUBMIT_GAS)]
      : [];
  const submit = chunks === 1 ? "submit, one chunk" : `submit, ${chunks} chunks`;
  return [
    ...times,
    verdict("client memory", "MB", client.peakRssMb, CLIENT_MEMORY_MB),
    verdict(submit, "gas", gas.submit, SUBMIT_GAS + (chunks - 1) * FURTHER_CHUNK_GAS),
    ...batched,
    verdict("finalize", "gas", gas.finalize, FINALIZE_GAS),
  ];
}
