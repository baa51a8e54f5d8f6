import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { CID } from "multiformats/cid";
import { VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { CAR_MEDIA_TYPE, carFrame, carHeader, RAW_MEDIA_TYPE } from "./car.ts";
import { parseAnyCid } from "./cid.ts";
import { readFileBytes, walkDag } from "./dag.ts";
import type { ByteRange, DagLimits, ReadBlock } from "./dag.ts";
import {
  contentDisposition,
  matchesEtag,
  refusal,
  rangeOf,
  requestedFileName,
  requestedForm,
  requestedPart,
  requestedRange,
  safeMediaType,
} from "./http-form.ts";
import type { DagPart, Query } from "./http-form.ts";
import { directoryPage, entryPath } from "./listing.ts";
import { decodeNode } from "./node.ts";
import type { DagNode } from "./node.ts";
import { PAGE_CSP } from "./page.ts";
import { describe } from "./peers.ts";
import type { Block } from "./profile.ts";
import { report } from "./report.ts";
import { listDirectory } from "./directory.ts";
import type { ContentStore } from "./store.ts";

/** The identity CID of no bytes, by which clients probe for a gateway. */
const PROBE_CID = "bafkqaaa";
const FOREVER = "public, max-age=29030400, immutable";
const A_WEEK = "public, max-age=604800";

/** What the path of a request leads to. */
interface Target {
  readonly root: CID;
  readonly rootBytes: Uint8Array;
  /** Undefined where the path ends at the root. */
  readonly name: string | undefined;
  readonly cid: CID;
  readonly node: DagNode;
}

/** Answers GET and HEAD under /ipfs/ from blocks held here; asks no peer, so that gateways cannot ask in circles. */
export class ContentRoutes {
  readonly #read: ReadBlock;
  readonly #limits: DagLimits;
  readonly #reporter: Reporter;

  constructor(store: Pick<ContentStore, "getLocalBlock">, limits: DagLimits, reporter: Reporter) {
    this.#limits = limits;
    this.#reporter = reporter;
    this.#read = async (cid) => {
      const bytes = await store.getLocalBlock(cid.toString());
      if (bytes === undefined) throw new VerisumError("IPFS_NOT_FOUND", `block ${cid.toString()} is not held here`);
      return bytes;
    };
  }

  /** @throws VerisumError, which the gateway's error handler turns into a status */
  async answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { cid: rootText, "*": rest } = request.params as { cid: string; "*"?: string };
    const query = request.query as Query;
    const form = requestedForm(query, request.headers.accept);
    if (rootText === PROBE_CID && (rest ?? "") === "") return this.#answerProbe(request, reply, form);
    const name = rest === undefined || rest === "" ? undefined : rest;
    const target = await this.#resolve(parseAnyCid(rootText), name, request.headers["cache-control"], form === "raw");
    void reply.header("x-ipfs-path", name === undefined ? `/ipfs/${rootText}` : entryPath(rootText, name));
    void reply.header("x-ipfs-roots", name === undefined ? rootText : `${rootText},${target.cid.toString()}`);
    if (target.node.kind === "raw" && form === "raw")
      return this.#answerRaw(request, reply, target.cid, target.node.bytes);
    if (form === "car") return this.#answerCar(request, reply, target, requestedPart(query, request.headers.accept));
    if (target.node.kind === "directory") {
      if (rest === undefined) return this.#redirectToDirectory(request, reply, rootText);
      return this.#answerListing(request, reply, target);
    }
    return this.#answerFile(request, reply, target, target.node.sizeBytes);
  }

  async #resolve(
    root: CID,
    name: string | undefined,
    cacheControl: string | undefined,
    asBlock: boolean,
  ): Promise<Target> {
    let rootBytes: Uint8Array;
    try {
      rootBytes = await this.#read(root);
    } catch (cause) {
      if (!(cause instanceof VerisumError) || !(cacheControl ?? "").includes("only-if-cached")) throw cause;
      throw refusal(412, "IPFS_NOT_FOUND", cause.message);
    }
    // A single block is served whatever is in it; its reader decides.
    const open = (cid: CID, bytes: Uint8Array): DagNode =>
      asBlock ? { kind: "raw", sizeBytes: bytes.length, bytes } : decodeNode(cid, bytes);
    if (name === undefined) return { root, rootBytes, name, cid: root, node: open(root, rootBytes) };
    const rootNode = decodeNode(root, rootBytes);
    const entry =
      rootNode.kind === "directory" ? rootNode.entries.find((candidate) => candidate.name === name) : undefined;
    if (entry === undefined) throw new VerisumError("IPFS_NOT_FOUND", `${root.toString()} has no such entry`);
    const node = open(entry.cid, await this.#read(entry.cid));
    if (node.kind === "directory") throw new VerisumError("IPFS_DAG_INVALID", "a directory lies inside another");
    return { root, rootBytes, name, cid: entry.cid, node };
  }

  /** A directory's page names its entries relative to a path that ends in a slash. */
  #redirectToDirectory(request: FastifyRequest, reply: FastifyReply, rootText: string): FastifyReply {
    const { search } = new URL(request.url, "http://localhost");
    return reply.header("cache-control", A_WEEK).redirect(`/ipfs/${rootText}/${search}`, 301);
  }

  #answerProbe(request: FastifyRequest, reply: FastifyReply, form: string): FastifyReply {
    const cid = CID.parse(PROBE_CID);
    const empty = new Uint8Array(0);
    const body = form === "car" ? Buffer.concat([carHeader(cid), carFrame({ cid, bytes: empty })]) : Buffer.alloc(0);
    const mediaType =
      form === "car" ? `${CAR_MEDIA_TYPE}; version=1` : form === "raw" ? RAW_MEDIA_TYPE : "application/octet-stream";
    void reply.header("content-disposition", contentDisposition("attachment", `${PROBE_CID}.bin`));
    void reply.header("x-ipfs-path", `/ipfs/${PROBE_CID}`).header("x-ipfs-roots", PROBE_CID);
    return this.#send(request, reply, {
      etag: `"${PROBE_CID}.${form}"`,
      mediaType,
      sizeBytes: body.length,
      body: () => body,
    });
  }

  #answerRaw(request: FastifyRequest, reply: FastifyReply, cid: CID, block: Uint8Array): FastifyReply {
    const fileName = requestedFileName(request.query as Query) ?? `${cid.toString()}.bin`;
    void reply.header("content-disposition", contentDisposition("attachment", fileName));
    const body = (): Buffer => Buffer.from(block.buffer, block.byteOffset, block.length);
    const etag = `"${cid.toString()}.raw"`;
    return this.#send(request, reply, { etag, mediaType: RAW_MEDIA_TYPE, sizeBytes: block.length, body });
  }

  #answerCar(request: FastifyRequest, reply: FastifyReply, target: Target, part: DagPart): FastifyReply {
    const fileName = requestedFileName(request.query as Query) ?? `${target.cid.toString()}.car`;
    void reply.header("content-disposition", contentDisposition("attachment", fileName));
    const { scope, bytes, repeats } = part;
    const range = bytes === undefined ? "" : `.${bytes.from}.${bytes.to ?? ""}`;
    const dups = repeats ? "y" : "n";
    const etag = `W/"${target.root.toString()}.car.${scope}${range}.${dups}.${target.cid.toString()}"`;
    const body = (): Readable =>
      Readable.from(this.#watched(request, this.#carFrames(target, part)), { objectMode: false });
    const order = bytes === undefined ? "dfs" : "unk";
    const mediaType = `${CAR_MEDIA_TYPE}; version=1; order=${order}; dups=${dups}`;
    void reply.header("accept-ranges", "none");
    return this.#send(request, reply, { etag, mediaType, body });
  }

  /** The blocks that lead to the target, then as much below it as the scope says. Ends early if a block is missing. */
  async *#carFrames(target: Target, { scope, bytes, repeats }: DagPart): AsyncGenerator<Uint8Array> {
    yield carHeader(target.root);
    if (target.name !== undefined) yield carFrame({ cid: target.root, bytes: target.rootBytes });
    if (scope === "block" || (scope === "entity" && target.node.kind === "directory")) {
      yield carFrame({ cid: target.cid, bytes: await this.#read(target.cid) });
      return;
    }
    if (bytes !== undefined && target.node.kind !== "directory") {
      yield* this.#framesOfRange(target.cid, rangeOf(bytes, target.node.sizeBytes), repeats);
      return;
    }
    for await (const block of walkDag(target.cid, this.#read, this.#limits, repeats)) yield carFrame(block);
  }

  /** The blocks that a part of a file takes, in the order in which they are read. */
  async *#framesOfRange(file: CID, range: ByteRange, repeats: boolean): AsyncGenerator<Uint8Array> {
    const read: Block[] = [];
    const reading: ReadBlock = async (cid) => {
      const bytes = await this.#read(cid);
      read.push({ cid, bytes });
      return bytes;
    };
    const sent = new Set<string>();
    const unsent = function* (): Generator<Uint8Array> {
      for (const block of read.splice(0)) {
        if (repeats || !sent.has(block.cid.toString())) yield carFrame(block);
        sent.add(block.cid.toString());
      }
    };
    for await (const part of readFileBytes(file, reading, this.#limits, range)) {
      void part;
      yield* unsent();
    }
    yield* unsent();
  }

  async #answerListing(request: FastifyRequest, reply: FastifyReply, { root }: Target): Promise<FastifyReply> {
    const files = await listDirectory(root, this.#read, this.#limits);
    const page = Buffer.from(directoryPage(root.toString(), files));
    void reply.header("content-security-policy", PAGE_CSP);
    const etag = `W/"listing-1.${root.toString()}"`;
    const mediaType = "text/html; charset=utf-8";
    return this.#send(request, reply, {
      etag,
      mediaType,
      sizeBytes: page.length,
      cacheControl: A_WEEK,
      body: () => page,
    });
  }

  #answerFile(request: FastifyRequest, reply: FastifyReply, target: Target, sizeBytes: number): FastifyReply {
    const query = request.query as Query;
    const named = requestedFileName(query) ?? target.name;
    const { mediaType, shown } = safeMediaType(named ?? "");
    const etag = `"${target.cid.toString()}"`;
    const fileName = named ?? `${target.cid.toString()}.bin`;
    const kind = shown && query["download"] !== "true" ? "inline" : "attachment";
    void reply.header("content-disposition", contentDisposition(kind, fileName));
    void reply.header("accept-ranges", "bytes");
    const ifRange = request.headers["if-range"];
    const wantsRange = request.method === "GET" && (ifRange === undefined || ifRange === etag);
    const rangeHeader = wantsRange ? request.headers.range : undefined;
    const range = requestedRange(rangeHeader, sizeBytes);
    if (range === "unsatisfiable") {
      void reply.header("content-range", `bytes */${sizeBytes}`);
      throw refusal(416, "REQUEST_INVALID", `the file has ${sizeBytes} bytes`);
    }
    if (range !== undefined && !matchesEtag(request.headers["if-none-match"], etag)) {
      void reply.status(206).header("content-range", `bytes ${range.start}-${range.end - 1}/${sizeBytes}`);
    }
    const sentBytes = range === undefined ? sizeBytes : range.end - range.start;
    const body = (): Readable =>
      Readable.from(this.#watched(request, this.#fileBytes(target.cid, range)), { objectMode: false });
    return this.#send(request, reply, { etag, mediaType, sizeBytes: sentBytes, body });
  }

  #fileBytes(cid: CID, range: ByteRange | undefined): AsyncGenerator<Uint8Array> {
    return readFileBytes(cid, this.#read, this.#limits, range);
  }

  /** Once the head is sent a failure can only end the answer, so that its reader notices; the operator is told why. */
  async *#watched(request: FastifyRequest, parts: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* parts;
    } catch (cause) {
      const { method, url, ip } = request;
      const reason = describe(cause);
      const text = `the answer to ${method} ${url} of ${ip} was cut short: ${reason}`;
      report(this.#reporter, "warn", "answer-cut-short", text, { subject: ip, method, url, reason });
      throw cause;
    }
  }

  #send(
    request: FastifyRequest,
    reply: FastifyReply,
    answer: {
      etag: string;
      mediaType: string;
      sizeBytes?: number;
      cacheControl?: string;
      body: () => Buffer | Readable;
    },
  ): FastifyReply {
    void reply
      .header("etag", answer.etag)
      .header("cache-control", answer.cacheControl ?? FOREVER)
      .header("vary", "accept");
    if (matchesEtag(request.headers["if-none-match"], answer.etag)) return reply.status(304).send();
    void reply.header("content-type", answer.mediaType);
    if (answer.sizeBytes !== undefined) void reply.header("content-length", answer.sizeBytes);
    return request.method === "HEAD" ? reply.send() : reply.send(answer.body());
  }
}
