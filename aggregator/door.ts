/** What a program that runs an aggregator imports, as `verisum/aggregator`. */
export { platformRandom } from "../command/platform-random.ts";
export { createReporter } from "../command/reporter.ts";
export type { RoleDependencies } from "../task/role.ts";
export { standardDependencies } from "../task/standard-dependencies.ts";
export { serve } from "./serve.ts";
export type { ServeOptions } from "./serve.ts";
