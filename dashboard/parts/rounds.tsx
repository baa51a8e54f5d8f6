/** History and lineage of a task's models. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Round, TaskSnapshot } from "../../indexer/api/schema.ts";
import { bytes, count, dateAndTime, duration, number, percent, short } from "../format.ts";
import { Cid, Download, RoundLink } from "./links.tsx";

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
  const [isAll, setAll] = useState(false);
  const isPrivate = snapshot.privacy !== null;
  const shown = isAll ? rounds : rounds.slice(0, SHOWN);
  return (
    <section aria-labelledby="rounds">
      <h2 id="rounds">Rounds and models</h2>
      <p className="aside">
        Each model follows from the one before it.{" "}
        <a href={`/api/tasks/${task}/rounds?format=csv&limit=1000`}>All rounds as CSV</a>
      </p>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col" className="number">
                Round
              </th>
              <th scope="col">State</th>
              <th scope="col" className="number">
                Clients
              </th>
              <th scope="col" className="number">
                Accuracy
              </th>
              {isPrivate ? (
                <th scope="col" className="number">
                  ε
                </th>
              ) : null}
              <th scope="col" className="number">
                Took
              </th>
              <th scope="col" className="number">
                Gas
              </th>
              <th scope="col">Model</th>
              <th scope="col">From</th>
              <th scope="col">Ended</th>
            </tr>
          </thead>
          <tbody>
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
          </tbody>
        </table>
      </div>
      {rounds.length <= SHOWN ? null : (
        <button type="button" className="plain" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
          {isAll ? "Show fewer" : `Show all ${count(rounds.length)}`}
        </button>
      )}
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
