/** A client's registration with its task. */
import type { ClientStatus, TaskWriter } from "../chain/task-chain.ts";
import type { Sleep } from "../protocol/ports.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { requireFurtherRounds } from "../task/further-rounds.ts";
import { untilFinal } from "../task/until-final.ts";
import { isListed } from "./terms.ts";

/** Between two looks at whether the operator has listed the account. */
const LISTING_PAUSE_MS = 2000;

export interface RegistrationDependencies {
  readonly chain: Pick<TaskWriter, "account" | "client" | "join" | "latestBlock" | "finalBlock" | "look">;
  readonly task: {
    readonly parameters: Pick<
      TaskParameters,
      "openRegistration" | "maxRounds" | "privacyBudget" | "privacyCostPerRound"
    >;
  };
  readonly sleep: Sleep;
  readonly reporter: Reporter;
}

type Entry = Pick<ClientStatus, "weight" | "activeFromRound" | "untilRound">;

/** An account that left and came back has other rounds, and one that left again has others again. */
function isSame(a: Entry, b: Entry): boolean {
  return a.weight === b.weight && a.activeFromRound === b.activeFromRound && a.untilRound === b.untilRound;
}

/**
 * Registers with an open task; on an allow-listed one, waits until the operator has listed the account.
 * @returns a chore that joins an open task again where a reorganisation undid that, until it is final
 * @throws TASK_COMPLETE where it is not listed, and no round will open for it; chain errors; INTERRUPTED
 */
export async function register(deps: RegistrationDependencies): Promise<() => Promise<void>> {
  const { chain, task, sleep, reporter } = deps;
  const isOpen = task.parameters.openRegistration;
  const join = async (): Promise<void> => {
    if (isOpen) await chain.join();
  };
  /** What this process joined from, or an earlier one: a branch on which that is so again lacks the joining. */
  let before: Entry = { weight: 0, activeFromRound: 0n, untilRound: 0n };
  const rejoin = untilFinal(chain, async () => !isSame(await chain.client(chain.account), before), join);
  for (;;) {
    const status = await chain.client(chain.account);
    const { weight, activeFromRound, untilRound } = status;
    if (isListed(status)) {
      const text = `registered with weight ${weight}, from round ${activeFromRound}`;
      reporter.say("info", "registered", text, { weight, activeFromRound });
      return rejoin;
    }
    requireFurtherRounds(task.parameters, await chain.look());
    if (isOpen) {
      before = status;
      await join();
    } else {
      const again = untilRound === 0n ? "" : ` again: it takes part in no round from ${untilRound} on`;
      reporter.wait(`waiting until the operator lists ${chain.account}${again}`, { account: chain.account });
      await sleep(LISTING_PAUSE_MS);
    }
  }
}
