/** What a program that starts a task imports, as `verisum/operator`. */
export type { Deployment } from "../chain/deploy.ts";
export { createKeyFile, loadWallet } from "../chain/key-file.ts";
export { platformRandom } from "../command/platform-random.ts";
export { deployPreparedTask } from "./deploy-task.ts";
export { registerLater } from "./register.ts";
export type { Roster } from "./roster.ts";
export { parsePreparedTask, prepareTask } from "./prepare-task.ts";
export type { PreparedTask } from "./prepare-task.ts";
export { readSpecification } from "./read-specification.ts";
