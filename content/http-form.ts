import type { ErrorCode } from "../protocol/errors.ts";
import { VerisumError } from "../protocol/errors.ts";
import { CAR_MEDIA_TYPE, RAW_MEDIA_TYPE } from "./car.ts";
import type { ByteRange } from "./dag.ts";

/** An error whose HTTP status is not the usual one of its code. */
export function refusal(status: number, code: ErrorCode, message: string): VerisumError {
  return new VerisumError(code, message, { status });
}

/** The forms in which content is served: one block, a CAR, or the file itself (for a directory, its listing). */
export type ContentForm = "raw" | "car" | "file";
export type DagScope = "block" | "entity" | "all";

/** The query of a content request; a repeated parameter arrives as a list and is refused. */
export type Query = Readonly<Record<string, unknown>>;

function single(query: Query, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || typeof value === "string") return value;
  throw refusal(400, "REQUEST_INVALID", `query parameter ${name} is repeated`);
}

/**
 * The form a request asks for: `format` wins over `Accept`, as the trustless gateway specification says.
 *
 * @throws VerisumError REQUEST_INVALID with status 406 for forms not offered
 */
export function requestedForm(query: Query, accept: string | undefined): ContentForm {
  const format = single(query, "format");
  if (format === "raw" || format === "car") return format;
  if (format !== undefined) throw refusal(406, "REQUEST_INVALID", "format must be raw or car");
  const types = (accept ?? "").split(",").map((part) => part.split(";")[0]?.trim().toLowerCase() ?? "");
  if (types.includes(RAW_MEDIA_TYPE)) return "raw";
  if (types.includes(CAR_MEDIA_TYPE)) return "car";
  const unsupported = types.every((type) => type.startsWith("application/vnd.ip"));
  if (types[0] !== "" && unsupported) {
    throw refusal(406, "REQUEST_INVALID", `the only IPLD types served are ${RAW_MEDIA_TYPE} and ${CAR_MEDIA_TYPE}`);
  }
  return "file";
}

/** The part of the DAG that a CAR has. */
export interface DagPart {
  readonly scope: DagScope;
  /** A block that is met several times is sent as often: who verifies a stream then needs to remember none. */
  readonly repeats: boolean;
  /** Of a file only the blocks with these bytes. */
  readonly bytes?: EntityBytes;
}

/** First and last byte; counted from the file's end if negative, and up to it without a last one. */
interface EntityBytes {
  readonly from: number;
  readonly to: number | undefined;
}

/**
 * The part of the DAG that a CAR request asks for; parameters of the query win over those of `Accept`.
 *
 * @throws VerisumError REQUEST_INVALID for CARv2, unknown scopes, and byte ranges that are none
 */
export function requestedPart(query: Query, accept: string | undefined): DagPart {
  const version = carParameter(query, accept, "version");
  if (version !== undefined && version !== "1") throw refusal(406, "REQUEST_INVALID", "only CAR version 1 is served");
  const bytes = single(query, "entity-bytes");
  const scope = single(query, "dag-scope") ?? (bytes === undefined ? "all" : "entity");
  if (scope !== "block" && scope !== "entity" && scope !== "all")
    throw refusal(400, "REQUEST_INVALID", "dag-scope must be block, entity or all");
  const repeats = carParameter(query, accept, "dups") === "y";
  return { scope, repeats, ...(bytes === undefined || scope !== "entity" ? {} : { bytes: entityBytes(bytes) }) };
}

/** A parameter of the CAR's media type. */
function carParameter(query: Query, accept: string | undefined, name: string): string | undefined {
  const types = (accept ?? "").toLowerCase().split(",");
  const [, ...parameters] = types.find((type) => type.trim().startsWith(CAR_MEDIA_TYPE))?.split(";") ?? [];
  const accepted = parameters.map((parameter) => parameter.trim().split("=")).find(([key]) => key === name);
  return single(query, `car-${name}`) ?? accepted?.[1];
}

function entityBytes(text: string): EntityBytes {
  const match = /^(-?\d{1,15}):(-?\d{1,15}|\*)$/.exec(text);
  if (match === null) throw refusal(400, "REQUEST_INVALID", "entity-bytes is <from>:<to>, or <from>:*");
  return { from: Number(match[1]), to: match[2] === "*" ? undefined : Number(match[2]) };
}

/** The bytes of a file of this size; none if the range has none of it. */
export function rangeOf({ from, to }: EntityBytes, sizeBytes: number): ByteRange {
  const start = Math.max(0, from < 0 ? sizeBytes + from : from);
  const last = to === undefined ? sizeBytes - 1 : to < 0 ? sizeBytes + to : to;
  return { start, end: Math.max(start, Math.min(last + 1, sizeBytes)) };
}

/** The name under which a browser is to save an answer. */
export function requestedFileName(query: Query): string | undefined {
  const name = single(query, "filename");
  return name === "" ? undefined : name?.slice(0, 255);
}

/**
 * The range a `Range` header asks for, the first of several; undefined where the whole is to be sent, since the header
 * is not understood (RFC 9110 section 14.2), or "unsatisfiable".
 */
export function requestedRange(header: string | undefined, sizeBytes: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})(?:,.*)?$/.exec(header ?? "");
  const [, first, last] = match ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? "unsatisfiable" : { start: sizeBytes - length, end: sizeBytes };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= sizeBytes ? "unsatisfiable" : { start, end };
}

/** True if an `If-None-Match` header names the entity tag, by weak comparison. */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const strong = (tag: string): string => tag.trim().replace(/^W\//, "");
  return header.trim() === "*" || header.split(",").some((tag) => strong(tag) === strong(etag));
}

/** A `Content-Disposition` value for any file name, hostile ones included (RFC 6266). */
export function contentDisposition(kind: "attachment" | "inline", fileName: string): string {
  const plain = fileName.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, 100);
  const encoded = encodeURIComponent(fileName).replace(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/**
 * The media type a file is served as: text and JSON by name, everything else as bytes. HTML, SVG, XML, PDF and
 * scripts are bytes: nothing a stranger published runs in a reader's browser.
 */
export function safeMediaType(fileName: string): { readonly mediaType: string; readonly shown: boolean } {
  const extension = /\.([A-Za-z0-9]{1,10})$/.exec(fileName)?.[1]?.toLowerCase();
  if (extension === "json") return { mediaType: "application/json; charset=utf-8", shown: true };
  if (extension === "txt" || extension === "md" || extension === "csv" || extension === "jsonl") {
    return { mediaType: "text/plain; charset=utf-8", shown: true };
  }
  return { mediaType: "application/octet-stream", shown: false };
}

/** Host names under which a gateway bound to loopback answers. */
export const LOOPBACK_HOSTS: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];

/** True if a `Host` header names an allowed host, on any port. Guards loopback binds against DNS rebinding. */
export function isAllowedHost(header: string | undefined, allowed: readonly string[] | "any"): boolean {
  if (allowed === "any") return true;
  const host = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header ?? "")?.[1];
  return host !== undefined && allowed.includes(host.toLowerCase());
}
