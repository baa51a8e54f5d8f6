/** Keeps secrets out of what people and logs see: endpoints carry them in their URL, and keys are typed by mistake. */

/** Paths of this project's own nodes; any other path of a URL may be a provider's key. */
const OPEN_PATH = /^\/?$|^\/(ipfs|api\/v0|v1\/(dag|proposals|submissions))(\/|$)|^\/v1\/car$/;
const URL_IN_TEXT = /([a-z][a-z0-9+.-]{0,15}:\/\/)([^\s"'`<>|\\]+)/gi;
/** `name:password@` where no scheme precedes it. */
const CREDENTIALS = /[^\s"'`<>/@]+:[^\s"'`<>/@]+@/g;
/** More hexadecimal digits than an address has: a secret key, or one that was mistyped. */
const SECRET_KEY = /(?<![0-9a-zA-Z])(0x)?[0-9a-fA-F]{41,}(?![0-9a-zA-Z])/g;
/** Words as of a wallet's seed phrase. */
const SEED_PHRASE = /\b[a-z]{3,8}(\s+[a-z]{3,8}){11,}\b/g;

/**
 * The text with every URL cut to scheme, host and the paths of this project's nodes: credentials, other paths, queries
 * and fragments become `…`.
 *
 * @example maskUrls("https://user:pass@node.example/v3/abc?key=def") === "https://…@node.example/…"
 */
export function maskUrls(text: string): string {
  if (!text.includes("://") && !text.includes("@")) return text;
  return text
    .replace(URL_IN_TEXT, (_, scheme: string, rest: string) => scheme + maskRest(rest))
    .replace(CREDENTIALS, "…@");
}

/** The same, for what somebody typed: what may be a secret key or a seed phrase is hidden as well. */
export function maskTyped(text: string): string {
  return maskUrls(text).replace(SECRET_KEY, "…").replace(SEED_PHRASE, "…");
}

/** True for a secret key or a seed phrase, typed where the name of its file belongs. */
export function isSecretKey(text: string): boolean {
  return maskTyped(text.trim()) === "…";
}

/** Authority, path and query of a URL; a password may itself contain slashes and question marks. */
function maskRest(rest: string): string {
  const at = rest.lastIndexOf("@");
  const credentials = at === -1 ? "" : "…@";
  const [, host = "", path = ""] = /^([^/?#]*)(.*)$/s.exec(rest.slice(at + 1))!;
  const [, plain = "", query = ""] = /^([^?#]*)(.*)$/s.exec(path)!;
  return credentials + host + (OPEN_PATH.test(plain) ? plain + (query === "" ? "" : "?…") : "/…");
}
