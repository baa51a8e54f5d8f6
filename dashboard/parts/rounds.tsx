/** History and lineage of a task's models. */
import type { ReactNode } from "react";
import type { Round, TaskSnapshot } from "../../indexer/api/schema.ts";
import { bytes, count, dateAndTime, duration, number, percent, short } from "../format.ts";
import { Cid, Download, RoundLink } from "./links.tsx";
import { Table, useShortened } from "./table.tsx";

const SHOWN = 25;

/** @param rounds last to first */
export function Rounds({
  task,
  rounds,
  snapshot,
}: {
  readonly task: string;
  readonly rounds: readonly Round[];
  readonly snapshot: TaskSnapshot;
}): ReactNode {
  const [shown, more] = useShortened(rounds, SHOWN, count(rounds.length));
  const isPrivate = snapshot.privacy !== null;
  return (
    <section aria-labelledby="rounds">
      <h2 id="rounds">Rounds and models</h2>
      <p className="aside">
        Each model follows from the one before it.{" "}
        <a href={`/api/tasks/${task}/rounds?format=csv&limit=1000`}>All rounds as CSV</a>
      </p>
      <Table
        columns={[
          { number: "Round" },
          "State",
          { number: "Clients" },
          { number: "Accuracy" },
          ...(isPrivate ? [{ number: "ε" }] : []),
          { number: "Took" },
          { number: "Gas" },
          "Model",
          "From",
          "Ended",
        ]}
      >
        {shown.map((round) => (
          <tr key={round.number}>
            <th scope="row" className="number">
              <RoundLink task={task} round={round.number} />
            </th>
            <td>
              <RoundState round={round} />
            </td>
            <td className="number">
              {round.included === null
                ? count(round.submitted)
                : `${count(round.included)} of ${count(round.submitted)}`}
            </td>
            <td className="number">{round.accuracy === null ? "" : percent(round.accuracy)}</td>
            {isPrivate ? <td className="number">{round.epsilon === null ? "" : number(round.epsilon)}</td> : null}
            <td className="number">{round.endedAt === null ? "" : duration(round.endedAt - round.openedAt)}</td>
            <td className="number">{round.gas === null ? "" : short(round.gas)}</td>
            <td>{round.modelCid === null ? "" : <Model round={round} cid={round.modelCid} />}</td>
            <td>
              <Cid cid={round.baseCid} label="Base model" />
            </td>
            <td>{round.endedAt === null ? "" : dateAndTime(round.endedAt)}</td>
          </tr>
        ))}
      </Table>
      {more}
    </section>
  );
}

function Model({ round, cid }: { readonly round: Round; readonly cid: string }): ReactNode {
  return (
    <>
      <Cid cid={cid} label={`Model of round ${round.number}`} /> <Download cid={cid} name={`round-${round.number}`} />
      {round.modelBytes === null ? null : <small> {bytes(round.modelBytes)}</small>}
      {round.modelMissing === null ? null : <small className="bad"> {round.modelMissing}</small>}
    </>
  );
}

export function RoundState({ round: { state, isFinal } }: { readonly round: Round }): ReactNode {
  if (state === "Finalised")
    return <span className={isFinal ? "state done" : "state waiting"}>{isFinal ? "final" : "finalised"}</span>;
  if (state === "Aborted") return <span className="state left-out">aborted</span>;
  return <span className="state to-submit">{state.toLowerCase()}</span>;
}
