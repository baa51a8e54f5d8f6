/** What a gateway is made of that has nothing and takes nothing, for tests of what is added to it. */
import type { GatewayOptions } from "../../content/gateway.ts";

export const NOTHING_SERVED: GatewayOptions = {
  store: { getLocalBlock: async () => undefined, has: async () => false, importCar: async () => undefined },
  authoriseUpload: async () => false,
  reporter: { say: () => undefined, wait: () => undefined },
};
