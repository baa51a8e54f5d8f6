/** What a program that holds a seat of a committee imports, as `verisum/member`. */
export { platformRandom } from "../command/platform-random.ts";
export { createReporter } from "../command/reporter.ts";
export type { RoleDependencies } from "../task/role.ts";
export { standardDependencies } from "../task/standard-dependencies.ts";
export { runMember } from "./run-member.ts";
export type { MemberOptions } from "./run-member.ts";
