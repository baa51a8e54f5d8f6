/** Trust at a glance: what holds, as long as what holds, and who could do what. */
import type { ReactNode } from "react";
import type { TaskAnswer, TaskSnapshot } from "../../indexer/api/schema.ts";
import { counted, number, percent, spentOf } from "../format.ts";
import { follow } from "../route.ts";

const KEYS: Readonly<Record<TaskSnapshot["keys"]["state"], string>> = {
  verified: "From a ceremony, verified here",
  claimed: "From a ceremony, by their own word",
  development: "Made by one machine, for development",
  unknown: "Not known",
};

export function Trust({ task, snapshot }: { readonly task: TaskAnswer; readonly snapshot: TaskSnapshot }): ReactNode {
  const { committee, influence, keys, limits, privacy, warnings } = snapshot;
  const spied = committee.threshold - 1;
  return (
    <section aria-labelledby="trust">
      <h2 id="trust">Trust at a glance</h2>
      <dl className="trust">
        <Fact name="Committee" value={`${committee.threshold} of ${committee.seats}`}>
          Any {counted(committee.threshold, "member")} together can release a round’s sum, or read single updates if
          they conspire.{" "}
          {spied === 0 ? "One alone can." : `${spied === 1 ? "One alone learns" : `${spied} together learn`} nothing.`}{" "}
          {counted(committee.seats - committee.quorum, "member")} may be away.
        </Fact>
        <Fact name="Privacy" value={privacy === null ? "Off" : spentOf(privacy)}>
          {privacy === null
            ? "The task adds no noise: the sum of a round is exact, and models may remember what they were trained on."
            : `${privacy.statement} The chance of failing that, δ, is ${number(privacy.delta)}. ${counted(privacy.remainingRounds, "round")} of ${privacy.rounds} remain${privacy.roundsPerClient === undefined ? "" : `, and ${privacy.roundsPerClient} at most count one client`}.`}
        </Fact>
        <Fact
          name="Corrupt clients"
          value={
            influence.outvoted ? "Outvote the honest" : `${percent(influence.corrupt / influence.honest)} of the honest`
          }
        >
          {influence.says}. A round counts only with {counted(limits.minClients, "client")}.
        </Fact>
        <Fact name="Keys" value={KEYS[keys.state]}>
          {keys.contributors.length === 0
            ? keys.says
            : `${counted(keys.contributors.length, "contributor")}: ${keys.contributors.join(", ")}. One honest one is enough.`}
        </Fact>
      </dl>
      {warnings.length === 0 ? null : (
        <ul className="warnings">
          {warnings.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      <p className="own">
        <a className="main" href={`/task/${task.task}/verify`} onClick={follow}>
          Verify in this browser
        </a>{" "}
        or, trusting nobody, on a machine of your own:{" "}
        <code>npm run fl -- verify --contract {task.contract} --rpc &lt;your endpoint&gt;</code>
      </p>
    </section>
  );
}

function Fact({
  name,
  value,
  children,
}: {
  readonly name: string;
  readonly value: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong>
        <p>{children}</p>
      </dd>
    </div>
  );
}
