/** host:port, as options name it. */
import { InvalidArgumentError } from "commander";

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Parses an option's value; an IPv6 address stands in brackets. @throws InvalidArgumentError */
export function listenAddress(text: string): ListenAddress {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:]+):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535)
    throw new InvalidArgumentError("Give host:port with a port up to 65535, such as 127.0.0.1:7700.");
  return { host: match[1]!.replace(/^\[|\]$/g, ""), port };
}

/** The URL that others use, unless they are told another one. */
export function urlOf({ host, port }: ListenAddress, scheme: "http" | "https" = "http"): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
