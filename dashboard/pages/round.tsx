/** One round: who submitted, what each seat did, and every event. */
import type { ReactNode } from "react";
import type { IndexedEvent, RoundDetail } from "../../indexer/api/schema.ts";
import { useAnswer } from "../api.ts";
import { count, dateAndTime, percent, short, timeOfDay } from "../format.ts";
import { Cid, Download, Id } from "../parts/links.tsx";
import { Notice, Pending } from "../parts/notice.tsx";
import { RoundState } from "../parts/rounds.tsx";
import { Pair, Table } from "../parts/table.tsx";
import { follow } from "../route.ts";

export function RoundPage({ task, round }: { readonly task: string; readonly round: number }): ReactNode {
  const { value, failure, isMissing } = useAnswer<RoundDetail>(`/api/tasks/${task}/rounds/${round}`, task);
  const events = useAnswer<{ readonly events: readonly IndexedEvent[] }>(
    `/api/tasks/${task}/events?round=${round}&limit=1000`,
    task,
  );
  const back = (
    <p className="crumb">
      <a href={`/task/${task}`} onClick={follow}>
        ← The task
      </a>
    </p>
  );
  if (isMissing)
    return (
      <>
        {back}
        <Notice kind="empty" title={`There is no round ${round}`} />
      </>
    );
  if (value === undefined) return <Pending what="the round" failure={failure} />;
  const { round: of, submissions, seats } = value;
  return (
    <>
      {back}
      <div className="title">
        <h1>Round {count(of.number)}</h1>
        <p>
          <RoundState round={of} />
        </p>
      </div>
      <dl className="particulars">
        <Moment name="Opened" at={of.openedAt} block={of.openedBlock} transaction={of.openedTransaction} />
        <Moment name="Settled" at={of.settledAt} block={of.settledBlock} transaction={of.settledTransaction} />
        <Moment name="Ended" at={of.endedAt} block={of.endedBlock} transaction={of.endedTransaction} />
        <Pair name="Base model">
          <Cid cid={of.baseCid} label="Base model" />
        </Pair>
        {of.modelCid === null ? null : (
          <Pair name="Model">
            <Cid cid={of.modelCid} label="Model" /> <Download cid={of.modelCid} name={`round-${of.number}`} />
            {of.accuracy === null ? "" : `, accuracy ${percent(of.accuracy)} claimed`}
          </Pair>
        )}
        {of.modelDigest === null ? null : (
          <Pair name="Digest">
            <Id text={of.modelDigest} label="digest" />
          </Pair>
        )}
        {of.aggregateCid === null ? null : (
          <Pair name="Aggregate">
            <Cid cid={of.aggregateCid} label="Aggregate" />
          </Pair>
        )}
      </dl>
      <section aria-labelledby="submissions">
        <h2 id="submissions">Submissions</h2>
        {submissions.length === 0 ? (
          <p>Nobody has submitted yet.</p>
        ) : (
          <Table
            columns={[
              "Client",
              "Counted",
              { number: "Weight" },
              { number: "Proofs" },
              "Encrypted shares",
              "Transaction",
              { number: "Block" },
            ]}
          >
            {submissions.map((one) => (
              <tr key={one.client}>
                <th scope="row">
                  <Id text={one.client} label="account" />
                </th>
                <td>
                  {one.included === null ? (
                    "not settled"
                  ) : one.included ? (
                    <span className="state done">included</span>
                  ) : (
                    <span className="state left-out">left out</span>
                  )}
                </td>
                <td className="number">{count(one.weight)}</td>
                <td className="number">{count(one.proofs)}</td>
                <td>
                  <Cid cid={one.sharesCid} label="Encrypted shares" />
                </td>
                <td>
                  <Id text={one.transaction} label="transaction" />
                </td>
                <td className="number">{count(one.block)}</td>
              </tr>
            ))}
          </Table>
        )}
      </section>
      <section aria-labelledby="seats">
        <h2 id="seats">Committee</h2>
        <Table columns={["Seat", "Found good", "Release", "Signed the result"]}>
          {seats.map(({ seat, attested, releaseCid, signed }) => (
            <tr key={seat}>
              <th scope="row">{seat}</th>
              <td>{attested === null ? "–" : `${count(attested)} of ${count(of.submitted)}`}</td>
              <td>{releaseCid === null ? "–" : <Cid cid={releaseCid} label={`Release of seat ${seat}`} />}</td>
              <td>{signed ? "yes" : "–"}</td>
            </tr>
          ))}
        </Table>
      </section>
      <Events events={events.value?.events ?? []} />
    </>
  );
}

interface MomentProps {
  readonly name: string;
  /** Unix seconds; null, as block and transaction, of what has not come. */
  readonly at: number | null;
  readonly block: number | null;
  readonly transaction: string | null;
}

function Moment({ name, at, block, transaction }: MomentProps): ReactNode {
  if (at === null || block === null || transaction === null) return null;
  return (
    <Pair name={name}>
      {dateAndTime(at)}, block {count(block)}, <Id text={transaction} label="transaction" />
    </Pair>
  );
}

function Events({ events }: { readonly events: readonly IndexedEvent[] }): ReactNode {
  if (events.length === 0) return null;
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events</h2>
      <Table columns={["When", "What", "Who", { number: "Block" }, "Transaction", { number: "Gas" }]}>
        {events.toReversed().map((event) => (
          <tr key={`${event.block}:${event.position}`}>
            <td>
              <time dateTime={new Date(event.time * 1000).toISOString()}>{timeOfDay(event.time)}</time>
            </td>
            <th scope="row">{event.name}</th>
            <td>
              {event.seat === null ? "" : `seat ${event.seat}`}{" "}
              {event.account === null ? "" : <Id text={event.account} label="account" />}
            </td>
            <td className="number">{count(event.block)}</td>
            <td>
              <Id text={event.transaction} label="transaction" />
            </td>
            <td className="number">{event.gas === null ? "" : short(event.gas)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
