/** A task's figures over its rounds. */
import type { ReactNode } from "react";
import type { Round, TaskSnapshot } from "../../indexer/api/schema.ts";
import { count, number, percent, short } from "../format.ts";
import { Chart } from "./chart.tsx";
import type { Series } from "./chart.tsx";

const GWEI_PER_ETHER = 1e9;
const BYTES_PER_KIB = 1024;
const CLAIMED = "As the aggregator says; nobody else has its data.";

/** @param rounds first to last */
export function Charts({
  rounds,
  snapshot,
}: {
  readonly rounds: readonly Round[];
  readonly snapshot: TaskSnapshot;
}): ReactNode {
  const numbers = rounds.map((round) => round.number);
  const by = (name: string, value: (round: Round) => number | null): Series => ({ name, values: rounds.map(value) });
  const chart = { rounds: numbers };
  const fees = rounds.reduce((sum, { feeGwei }) => sum + (feeGwei ?? 0), 0) / GWEI_PER_ETHER;
  const budget = snapshot.privacy?.epsilon.rdp.budget;
  return (
    <section aria-labelledby="figures">
      <h2 id="figures">Figures by round</h2>
      <div className="charts">
        <Chart
          {...chart}
          title="Accuracy"
          note={CLAIMED}
          kind="line"
          format={percent}
          series={[by("accuracy", (r) => r.accuracy)]}
        />
        <Chart
          {...chart}
          title="Loss"
          note={CLAIMED}
          kind="line"
          format={number}
          series={[by("loss", (r) => r.loss)]}
        />
        <Chart
          {...chart}
          title="Clients"
          kind="bars"
          format={count}
          series={[
            by("included", (r) => r.included ?? 0),
            by("left out", (r) => (r.included === null ? 0 : r.submitted - r.included)),
            by("not settled", (r) => (r.included === null ? r.submitted : 0)),
          ]}
        />
        <Chart
          {...chart}
          title="Seconds by stage"
          kind="bars"
          format={(value) => `${count(value)} s`}
          series={[
            by("collecting", (r) => lasted(r.openedAt, r.closedAt)),
            by("checking", (r) => lasted(r.closedAt, r.settledAt)),
            by("adding up", (r) => lasted(r.settledAt, r.endedAt)),
          ]}
        />
        {snapshot.privacy === null ? null : (
          <Chart
            {...chart}
            title="Privacy spent (ε)"
            kind="line"
            format={number}
            series={[by("ε", (r) => r.epsilon)]}
            {...(budget === undefined ? {} : { limit: { name: `budget ${number(budget)}`, value: budget } })}
          />
        )}
        <Chart
          {...chart}
          title="Gas"
          {...(fees === 0 ? {} : { note: `Fees so far: ${number(fees)} ETH.` })}
          kind="bars"
          format={short}
          series={[by("gas", (r) => r.gas)]}
        />
        <Chart
          {...chart}
          title="Checkpoint, KiB"
          kind="bars"
          format={number}
          series={[by("checkpoint", (r) => (r.modelBytes === null ? null : r.modelBytes / BYTES_PER_KIB))]}
        />
      </div>
    </section>
  );
}

function lasted(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : to - from;
}
