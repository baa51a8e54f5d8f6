/** Tables and plots of docs/privacy.md, from what was measured. */
import { renderChart } from "../bench/chart.ts";
import type { Chart, Series } from "../bench/chart.ts";
import type { ClipRow } from "./adaptive-clip.ts";
import type { AuditRow } from "./audit.ts";
import type { ClientPrivacyRow } from "./client-level.ts";
import type { PrivacyRow } from "./example-level.ts";
import type { MembershipRow } from "./membership.ts";

/** The rows of `docs/data/privacy-*.json`. */
export interface PrivacyMeasurements {
  readonly clients: readonly ClientPrivacyRow[];
  readonly examples: readonly PrivacyRow[];
  readonly audit: readonly AuditRow[];
  readonly clips: readonly ClipRow[];
  readonly membership: readonly MembershipRow[];
  readonly participation: readonly ClientPrivacyRow[];
}

/** Data sets of the plots: their tasks, by unit. */
const PLOTS = [
  {
    name: "privacy-digits",
    title: "Digits, a linear model of 650 weights",
    clientTask: "digits-cohort",
    exampleTask: "digits-private",
  },
  {
    name: "privacy-fashion",
    title: "Fashion-MNIST, a linear model of 4,910 weights on fixed features",
    clientTask: "fashion-cohort",
    exampleTask: "fashion-private",
  },
] as const;

/** Pages of markdown by the name of the place where they go. */
export function privacyTables({
  clients,
  examples,
  audit,
  clips,
  membership,
  participation,
}: PrivacyMeasurements): Record<string, string> {
  return {
    clients: table(
      [
        "data",
        "clients",
        "rows each",
        "ε",
        "grid, clip (steps)",
        "noise of a client (steps)",
        "accuracy: mean",
        "least to most",
        "runs",
      ],
      clients.map((row) => [
        dataOf(row.data),
        grouped(row.clients),
        grouped(row.rowsPerClient),
        epsilonOf(row.epsilon),
        `2⁻${superscript(row.stepBits)}, ${grouped(row.clipSteps)}`,
        row.noiseVariance === null ? "none" : Math.sqrt(row.noiseVariance).toFixed(1),
        percent(row.accuracy.mean),
        `${percent(row.accuracy.min)} to ${percent(row.accuracy.max)}`,
        String(row.seeds.length),
      ]),
    ),
    examples: table(
      ["task", "weights", "clients", "rows each", "label skew", "ε", "noise multiplier", "accuracy"],
      examples.map((row) => [
        row.task,
        grouped(row.parameters),
        String(row.clients),
        [...new Set(row.rows)].map(grouped).join(" to "),
        row.alpha === null ? "none" : `Dirichlet ${row.alpha}`,
        epsilonOf(row.epsilon),
        row.epsilon === null ? "next to none" : row.noiseMultiplier.toFixed(2),
        percent(row.accuracies.at(-1)!),
      ]),
    ),
    clips: table(
      [
        "clip norm to start from, over the tuned one",
        "fixed: mean",
        "least to most",
        "adaptive: mean",
        "least to most",
        "its clip norm after the last round",
        "runs",
      ],
      clips
        .filter(({ adaptive }) => adaptive === null)
        .map((fixed) => {
          const follows = clips.find(
            (row) => row.adaptive !== null && row.task === fixed.task && row.offsetOctaves === fixed.offsetOctaves,
          );
          const cells = [fixed, follows].flatMap((row) =>
            row === undefined
              ? ["", ""]
              : [
                  percent(meanOf(row.accuracies)),
                  `${percent(Math.min(...row.accuracies))} to ${percent(Math.max(...row.accuracies))}`,
                ],
          );
          const norms =
            follows === undefined
              ? ""
              : `${Math.min(...follows.clipNorms).toFixed(2)} to ${Math.max(...follows.clipNorms).toFixed(2)}`;
          return [
            fixed.offsetOctaves === 0
              ? "1"
              : fixed.offsetOctaves > 0
                ? String(2 ** fixed.offsetOctaves)
                : `1/${2 ** -fixed.offsetOctaves}`,
            ...cells,
            norms,
            String(fixed.accuracies.length),
          ];
        }),
    ),
    audit: table(
      ["unit", "setting", "δ", "runs of each", "stated ε", "proven at the stated noise", "proven at half the noise"],
      audit
        .filter(({ noisePart }) => noisePart === 1)
        .map((row) => {
          const wrong = audit.find(
            (other) =>
              other.unit === row.unit &&
              other.setting === row.setting &&
              other.delta === row.delta &&
              other.noisePart !== 1,
          );
          return [
            row.unit,
            row.setting,
            String(row.delta),
            grouped(row.trials),
            row.statedEpsilon.toFixed(2),
            row.measuredEpsilon.toFixed(2),
            wrong === undefined ? "" : wrong.measuredEpsilon.toFixed(2),
          ];
        }),
    ),
    membership: table(
      [
        "training",
        "weights",
        "labels",
        "stated ε",
        "of the stated noise",
        "runs",
        "coins",
        "right guesses",
        "proven ε",
      ],
      membership.map((row) => [
        row.training,
        grouped(row.weights),
        row.labels,
        row.statedEpsilon === null ? "∞" : row.statedEpsilon.toFixed(2),
        row.statedEpsilon === null ? "none" : row.noisePart === 1 ? "all" : `1/${Math.round(1 / row.noisePart)}`,
        String(row.runs),
        grouped(row.coins),
        `${grouped(row.right)} of ${grouped(row.guesses)}`,
        row.provenEpsilon.toFixed(2),
      ]),
    ),
    participation: table(
      [
        "registered",
        "in a round",
        "ε",
        "noise for",
        "noise of a client (units of the weights)",
        "accuracy: mean",
        "least to most",
        "runs",
      ],
      participation.map((row) => [
        grouped(row.registered ?? row.clients),
        grouped(row.clients),
        epsilonOf(row.epsilon),
        row.noiseVariance === null ? "" : `${row.roundsPerClient ?? row.rounds} rounds`,
        row.noiseVariance === null ? "none" : noiseStdDevOf(row).toFixed(3),
        percent(row.accuracy.mean),
        `${percent(row.accuracy.min)} to ${percent(row.accuracy.max)}`,
        String(row.seeds.length),
      ]),
    ),
  };
}

/** Plots by path from the project's root; those that something was measured for. */
export function privacyPlots(measurements: PrivacyMeasurements): Record<string, string> {
  const charts = PLOTS.flatMap((plot): Chart[] => {
    const series = seriesOf(measurements, plot.clientTask, plot.exampleTask);
    if (series.length === 0) return [];
    return [
      {
        name: plot.name,
        title: plot.title,
        description: `Test accuracy in percent by epsilon on a logarithmic axis, delta 1e-5: ${series.map(({ name, points }) => `${name}: ${points.map(({ x, y }) => `${y.toFixed(1)} at ${x}`).join(", ")}`).join("; ")}.`,
        x: { label: "epsilon after all rounds, delta = 1e-5", scale: "log" },
        y: { label: "test accuracy, %", scale: "linear" },
        series,
      },
    ];
  });
  return Object.fromEntries(charts.map((chart) => [`docs/plots/${chart.name}.svg`, renderChart(chart)]));
}

/** A line for each cohort, and one for each dealing of the example-level task. */
function seriesOf({ clients, examples }: PrivacyMeasurements, clientTask: string, exampleTask: string): Series[] {
  const lines = new Map<string, { x: number; y: number }[]>();
  const add = (name: string, epsilon: number | null, accuracy: number): void => {
    if (epsilon === null) return;
    const points = lines.get(name) ?? [];
    points.push({ x: epsilon, y: accuracy * 100 });
    lines.set(name, points);
  };
  for (const row of clients)
    if (row.task === clientTask) add(`client, n = ${grouped(row.clients)}`, row.epsilon, row.accuracy.mean);
  for (const row of examples)
    if (row.task === exampleTask)
      add(
        `record, n = ${row.clients}${row.alpha === null ? "" : `, skew ${row.alpha}`}`,
        row.epsilon,
        row.accuracies.at(-1)!,
      );
  return [...lines].map(([name, points]) => ({ name, points: points.toSorted((a, b) => a.x - b.x) }));
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of one client's noise on one weight, whatever the grid. */
export function noiseStdDevOf({ noiseVariance, stepBits }: ClientPrivacyRow): number {
  return Math.sqrt(noiseVariance ?? 0) / 2 ** stepBits;
}

function dataOf(data: string): string {
  return data.split("?")[0]!;
}

function epsilonOf(epsilon: number | null): string {
  return epsilon === null ? "∞" : String(epsilon);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

function superscript(value: number): string {
  return [...String(value)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
}
