/** A node's figures in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/). */
import { readdir } from "node:fs/promises";
import { PHASES } from "../chain/task-chain.ts";
import type { Traffic } from "../content/traffic.ts";
import { accuracyOf } from "./checkpoint.ts";
import type { NodeStatus } from "./node-status.ts";
import type { VitalSigns } from "./vitals.ts";

export const METRICS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What the operating system says of this process. */
export interface ProcessFigures {
  /** Of all threads, in seconds. */
  readonly processorSeconds: number;
  readonly residentBytes: number;
  /** Undefined where the system does not tell. */
  readonly openDescriptors: number | undefined;
}

export async function processFigures(): Promise<ProcessFigures> {
  const { user, system } = process.cpuUsage();
  const descriptors = await readdir("/proc/self/fd").catch(() => undefined);
  return {
    processorSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    openDescriptors: descriptors?.length,
  };
}

type Labels = Readonly<Record<string, string | number>>;
export type Sample = readonly [labels: Labels, value: number];

/** One metric; without samples there is none. */
export function metric(name: string, type: "counter" | "gauge", help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  const lines = samples.map(([labels, value]) => `${name}${labelsText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

const one = (value: number | undefined): readonly Sample[] => (value === undefined ? [] : [[{}, value]]);

export function prometheusText(
  { role, seat, version, task, chainId, contract, account }: NodeStatus,
  signs: VitalSigns,
  traffic: Traffic,
  figures: ProcessFigures,
): string {
  const { counters } = signs;
  const identity = { role, seat: seat ?? "", version, task, chain_id: chainId, contract, account };
  const phases = PHASES.map((phase): Sample => [{ phase }, Number(counters?.round.phase === phase)]);
  return [
    metric("verisum_info", "gauge", "Who this is; always 1.", [[identity, 1]]),
    metric(
      "verisum_healthy",
      "gauge",
      "1 while the loop has looked at the chain lately.",
      one(signs.trouble === undefined ? 1 : 0),
    ),
    metric("verisum_ready", "gauge", "1 once it plays its part and is healthy.", one(signs.ready ? 1 : 0)),
    metric(
      "verisum_last_look_age_seconds",
      "gauge",
      "Time since the last look at the chain.",
      one(signs.lookSecondsAgo),
    ),
    metric(
      "verisum_waiting_seconds",
      "gauge",
      "How long it has waited for the same thing.",
      one(signs.waitsFor?.seconds ?? 0),
    ),
    metric(
      "verisum_round",
      "gauge",
      "The current round.",
      one(counters === undefined ? undefined : Number(counters.round.number)),
    ),
    metric(
      "verisum_round_phase",
      "gauge",
      "1 for the phase of the current round.",
      counters === undefined ? [] : phases,
    ),
    metric("verisum_round_submitted", "gauge", "Clients that have submitted in it.", one(counters?.round.submitted)),
    metric(
      "verisum_rounds_finalised_total",
      "counter",
      "Rounds that the contract finalised.",
      one(counters?.finalisedRounds),
    ),
    metric(
      "verisum_claimed_accuracy",
      "gauge",
      "Of the last model, on this node's own data.",
      one(accuracyOf(signs.measured) ?? undefined),
    ),
    metric("verisum_claimed_loss", "gauge", "Of the last model, on this node's own data.", one(signs.measured?.loss)),
    metric(
      "verisum_errors_total",
      "counter",
      "Errors that were reported, by code.",
      [...signs.errors].map(([code, count]): Sample => [{ code }, count]),
    ),
    trafficText(traffic),
    processText(figures),
    metric("process_uptime_seconds", "gauge", "Time since the role started.", one(signs.startedSecondsAgo)),
  ].join("");
}

/** Of a gateway. */
export function trafficText({ answers, bytesReceived, bytesSent }: Traffic): string {
  return [
    metric(
      "verisum_http_requests_total",
      "counter",
      "Answers of the gateway.",
      answers.map(({ count, ...labels }): Sample => [labels, count]),
    ),
    metric("verisum_http_received_bytes_total", "counter", "Bytes of answered requests.", one(bytesReceived)),
    metric("verisum_http_sent_bytes_total", "counter", "Bytes of answers.", one(bytesSent)),
  ].join("");
}

/** Of a process, by the names that Prometheus' own libraries use. */
export function processText({ processorSeconds, residentBytes, openDescriptors }: ProcessFigures): string {
  return [
    metric("process_cpu_seconds_total", "counter", "Processor time of all threads.", one(processorSeconds)),
    metric("process_resident_memory_bytes", "gauge", "Memory in use.", one(residentBytes)),
    metric("process_open_fds", "gauge", "Open file descriptors.", one(openDescriptors)),
  ].join("");
}
