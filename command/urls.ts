/** URLs as options name them. */
import { InvalidArgumentError } from "commander";
import { repeatable } from "./repeatable.ts";

/** Hardhat's, and of most nodes. */
export const LOCAL_RPC: readonly string[] = ["http://127.0.0.1:8545"];

/** Parses an option's value: an HTTP endpoint, without a name or password in it. @throws InvalidArgumentError */
function httpUrl(text: string): URL {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "ws" || scheme === "wss")
    throw new InvalidArgumentError("WebSockets are not used: give the node's address for http:// or https://.");
  if ((scheme !== "http" && scheme !== "https") || !URL.canParse(text))
    throw new InvalidArgumentError("An endpoint is a URL that begins with http:// or https://.");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new InvalidArgumentError("A user name or password in it is not sent: use a URL that needs none.");
  return url;
}

/** Parses an option's value: where a node answers; paths are appended to it. @throws InvalidArgumentError */
export function nodeUrl(text: string): string {
  const { search, hash } = httpUrl(text);
  if (search !== "" || hash !== "")
    throw new InvalidArgumentError("Paths are appended to it: leave out what begins with ? or #.");
  return text;
}

/** The same, once for each node. */
export const nodeUrls = repeatable((text: string, before: readonly string[] = []) => [...before, nodeUrl(text)]);

/** One endpoint more, or several with commas between them; the first one takes the default's place. */
export const rpcUrls = repeatable((text: string, before: readonly string[] | undefined) => {
  const urls = text.split(",").map((url) => (httpUrl(url.trim()), url.trim()));
  return before === undefined || before === LOCAL_RPC ? urls : [...before, ...urls];
});
