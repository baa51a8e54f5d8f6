/** A client process: takes a state directory, prints what its journal holds and the noise of its next round. */
import { platformRandom } from "../../command/platform-random.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { openJournal } from "../../client/journal.ts";
import { noiseOf, noisyClient } from "./noisy-client.ts";

const state = await openStateDirectory(process.argv[2]!);
const rounds = (await openJournal(state, "scope").submissions()).map(({ round }) => round);
const noise = await noiseOf(noisyClient(platformRandom), rounds.at(-1)! + 1n);
await state.release();
process.stdout.write(JSON.stringify({ rounds: rounds.map(String), noise: [...noise] }));
