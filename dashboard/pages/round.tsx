/** One round: who submitted, what each seat did, and every event. */
import type { ReactNode } from "react";
import type { IndexedEvent, RoundDetail } from "../../indexer/api/schema.ts";
import { useAnswer } from "../api.ts";
import { count, dateAndTime, percent, short, timeOfDay } from "../format.ts";
import { Cid, Download, Id } from "../parts/links.tsx";
import { Loading, Notice } from "../parts/notice.tsx";
import { RoundState } from "../parts/rounds.tsx";
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
  if (value === undefined)
    return failure === undefined ? (
      <Loading what="the round" />
    ) : (
      <Notice kind="failure" title="The server does not answer" />
    );
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
        <Particular name="Opened">
          {dateAndTime(of.openedAt)}, block {count(of.openedBlock)},{" "}
          <Id text={of.openedTransaction} label="transaction" />
        </Particular>
        {of.settledAt === null ? null : (
          <Particular name="Settled">
            {dateAndTime(of.settledAt)}, block {count(of.settledBlock!)},{" "}
            <Id text={of.settledTransaction!} label="transaction" />
          </Particular>
        )}
        {of.endedAt === null ? null : (
          <Particular name="Ended">
            {dateAndTime(of.endedAt)}, block {count(of.endedBlock!)},{" "}
            <Id text={of.endedTransaction!} label="transaction" />
          </Particular>
        )}
        <Particular name="Base model">
          <Cid cid={of.baseCid} label="Base model" />
        </Particular>
        {of.modelCid === null ? null : (
          <Particular name="Model">
            <Cid cid={of.modelCid} label="Model" /> <Download cid={of.modelCid} name={`round-${of.number}`} />
            {of.accuracy === null ? "" : `, accuracy ${percent(of.accuracy)} claimed`}
          </Particular>
        )}
        {of.modelDigest === null ? null : (
          <Particular name="Digest">
            <Id text={of.modelDigest} label="digest" />
          </Particular>
        )}
        {of.aggregateCid === null ? null : (
          <Particular name="Aggregate">
            <Cid cid={of.aggregateCid} label="Aggregate" />
          </Particular>
        )}
      </dl>
      <section aria-labelledby="submissions">
        <h2 id="submissions">Submissions</h2>
        {submissions.length === 0 ? (
          <p>Nobody has submitted yet.</p>
        ) : (
          <div className="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Client</th>
                  <th scope="col">Counted</th>
                  <th scope="col" className="number">
                    Weight
                  </th>
                  <th scope="col" className="number">
                    Proofs
                  </th>
                  <th scope="col">Encrypted shares</th>
                  <th scope="col">Transaction</th>
                  <th scope="col" className="number">
                    Block
                  </th>
                </tr>
              </thead>
              <tbody>
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
              </tbody>
            </table>
          </div>
        )}
      </section>
      <section aria-labelledby="seats">
        <h2 id="seats">Committee</h2>
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Seat</th>
                <th scope="col">Found good</th>
                <th scope="col">Release</th>
                <th scope="col">Signed the result</th>
              </tr>
            </thead>
            <tbody>
              {seats.map(({ seat, attested, releaseCid, signed }) => (
                <tr key={seat}>
                  <th scope="row">{seat}</th>
                  <td>{attested === null ? "–" : `${count(attested)} of ${count(of.submitted)}`}</td>
                  <td>{releaseCid === null ? "–" : <Cid cid={releaseCid} label={`Release of seat ${seat}`} />}</td>
                  <td>{signed ? "yes" : "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <Events events={events.value?.events ?? []} />
    </>
  );
}

function Particular({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Events({ events }: { readonly events: readonly IndexedEvent[] }): ReactNode {
  if (events.length === 0) return null;
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events</h2>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">Who</th>
              <th scope="col" className="number">
                Block
              </th>
              <th scope="col">Transaction</th>
              <th scope="col" className="number">
                Gas
              </th>
            </tr>
          </thead>
          <tbody>
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
          </tbody>
        </table>
      </div>
    </section>
  );
}
