/**
 * Who may use the participant's page: whoever has the address that the terminal showed. Its code is good once, and is
 * exchanged for two secrets of one window. The cookie is kept from scripts; the key is kept from other servers on this
 * machine, to which a browser sends the cookie as well: cookies know no ports.
 */
import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { RandomBytes } from "../../protocol/random.ts";

const SECRET_BYTES = 32;
/** Windows that are open at a time; of more the oldest is closed. */
const MOST_WINDOWS = 8;
export const COOKIE = "verisum-page";
const KEY_HEADER = "x-verisum-page";

interface Window {
  readonly cookie: string;
  readonly key: string;
}

export interface Guard {
  /** Of the address that opens the next window. */
  code(): string;
  /** The secrets of a new window; undefined if the code is not the present one. */
  redeem(code: string): Window | undefined;
  /** The request comes from a page of this server, in a window that was opened by a code. */
  admits(headers: IncomingHttpHeaders): boolean;
}

/** @param origin of the server, as `http://127.0.0.1:7900` */
export function createGuard(origin: () => string, random: RandomBytes): Guard {
  const secret = (): string => Buffer.from(random(SECRET_BYTES)).toString("base64url");
  const windows: Window[] = [];
  let code = secret();
  return {
    code: () => code,
    redeem: (given) => {
      if (!isEqual(given, code)) return undefined;
      code = secret();
      const opened = { cookie: secret(), key: secret() };
      windows.push(opened);
      if (windows.length > MOST_WINDOWS) windows.shift();
      return opened;
    },
    admits: (headers) => {
      if (!isSameOrigin(headers, origin())) return false;
      const cookie = cookieIn(headers.cookie);
      const key = headers[KEY_HEADER];
      if (cookie === undefined || typeof key !== "string") return false;
      return windows.some((window) => isEqual(window.cookie, cookie) && isEqual(window.key, key));
    },
  };
}

/** What browsers say of where a request comes from names this server, or nothing is said. */
export function isSameOrigin({ origin, "sec-fetch-site": site }: IncomingHttpHeaders, own: string): boolean {
  return (origin === undefined || origin === own) && (site === undefined || site === "same-origin");
}

function cookieIn(header = ""): string | undefined {
  return header
    .split(";")
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1);
}

function isEqual(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}
