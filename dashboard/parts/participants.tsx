/** Who takes part: what each waits for now, and in which rounds each was. */
import { useMemo } from "react";
import type { ReactNode } from "react";
import type { Participant, Participation, TaskSnapshot } from "../../indexer/api/schema.ts";
import { useAnswer } from "../api.ts";
import { count, counted, inLocalTime } from "../format.ts";
import { Id } from "./links.tsx";
import { Table, useShortened } from "./table.tsx";

const STATES: Readonly<Record<string, string>> = {
  "to-register": "to register",
  "to-submit": "to submit",
  "to-attest": "to attest",
  "to-release": "to release",
  "to-finalise": "to finalise",
  "left-out": "left out",
  waiting: "waiting",
  done: "done",
};

/** Clients that are listed before somebody asks for all. */
const SHOWN = 24;

export function Participants({
  task,
  snapshot,
}: {
  readonly task: string;
  readonly snapshot: TaskSnapshot;
}): ReactNode {
  const { value } = useAnswer<{ readonly participants: readonly Participant[] }>(
    `/api/tasks/${task}/participants`,
    task,
  );
  const others = snapshot.parties.filter(({ party }) => party === "aggregator" || party === "operator");
  const members = value?.participants.filter(({ role }) => role === "member") ?? [];
  const clients = value?.participants.filter(({ role, leftBlock }) => role === "client" && leftBlock === null) ?? [];
  const [shown, more] = useShortened(clients, SHOWN, counted(clients.length, "client"));
  const says = new Map(snapshot.parties.map(({ party, says: words }) => [party, words]));
  return (
    <section aria-labelledby="participants">
      <h2 id="participants">Participants</h2>
      <Table className="participants" columns={["Who", "State", "Why", { number: "Rounds" }]}>
        {others.map(({ party, state, reason }) => (
          <Row key={party} who={party} state={state} reason={reason} says={says.get(party)} />
        ))}
        {members.map(({ seat, account, state, reason }) => (
          <Row
            key={`seat ${seat}`}
            who={`seat ${seat}`}
            account={account}
            state={state}
            reason={reason}
            says={says.get(`seat ${seat}`)}
          />
        ))}
        {shown.map(({ account, state, reason, submitted, included }) => (
          <Row
            key={account}
            who="client"
            account={account}
            state={state}
            reason={reason}
            rounds={`${count(included)} of ${count(submitted)}`}
          />
        ))}
      </Table>
      {more}
      {snapshot.changes.length === 0 ? null : (
        <>
          <h3>Decided changes</h3>
          <ul className="changes">
            {snapshot.changes.map((says) => (
              <li key={says}>{says}</li>
            ))}
          </ul>
        </>
      )}
      <ParticipationMap task={task} />
    </section>
  );
}

interface RowProps {
  readonly who: string;
  readonly account?: string;
  readonly state: string | null;
  readonly reason: string | null;
  readonly says?: string | undefined;
  readonly rounds?: string;
}

function Row({ who, account, state, reason, says, rounds }: RowProps): ReactNode {
  return (
    <tr>
      <th scope="row">
        {who} {account === undefined ? null : <Id text={account} label="account" />}
      </th>
      <td>{state === null ? "" : <span className={`state ${state}`}>{STATES[state] ?? state}</span>}</td>
      <td className="why">
        {reason === null ? null : inLocalTime(reason)}
        {says === undefined ? null : <em> It says: {says}</em>}
      </td>
      <td className="number">{rounds}</td>
    </tr>
  );
}

const CELL = 11;
/** What marks of the API are called here, and by the style sheet. */
const KINDS = [
  { mark: "+", className: "included", name: "included" },
  { mark: "-", className: "left-out", name: "left out" },
  { mark: "?", className: "open", name: "not settled" },
  { mark: ".", className: "missing", name: "not submitted" },
] as const;

/** One square for each client and round. One path for each kind of square, so that thousands stay fluid. */
function ParticipationMap({ task }: { readonly task: string }): ReactNode {
  const { value } = useAnswer<Participation>(`/api/tasks/${task}/participation?limit=100`, task);
  const paths = useMemo(() => pathsOf(value?.clients ?? []), [value]);
  if (value === undefined || value.rounds.length === 0) return null;
  const { rounds, clients } = value;
  const label = `${counted(clients.length, "client")} in rounds ${rounds[0]} to ${rounds.at(-1)}. The numbers are in the table above.`;
  return (
    <figure className="map">
      <figcaption>
        <h3>Who was in which round</h3>
        <p className="legend">
          {KINDS.map(({ mark, className, name }) => (
            <span key={mark} className={className}>
              <i aria-hidden="true" />
              {name}
            </span>
          ))}
        </p>
      </figcaption>
      <div className="scroll" tabIndex={0} role="group" aria-label="Participation by round">
        <svg width={rounds.length * CELL} height={clients.length * CELL} role="img" aria-label={label}>
          {KINDS.map(({ mark, className }) => (
            <path key={mark} className={className} d={paths[mark]} />
          ))}
        </svg>
      </div>
    </figure>
  );
}

function pathsOf(clients: Participation["clients"]): Readonly<Record<string, string>> {
  const paths: Record<string, string[]> = Object.fromEntries(KINDS.map(({ mark }) => [mark, []]));
  for (const [row, { marks }] of clients.entries())
    for (const [column, mark] of [...marks].entries())
      paths[mark]?.push(`M${column * CELL} ${row * CELL}h${CELL - 2}v${CELL - 2}h-${CELL - 2}z`);
  return Object.fromEntries(Object.entries(paths).map(([mark, parts]) => [mark, parts.join("")]));
}
