import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { blocksOfCar, cidBytes, cidText } from "./support.ts";

/** A server with the shapes of Kubo's RPC answers, over blocks in memory that a test may damage. */
export interface FakeKubo {
  readonly url: string;
  readonly blocks: Map<string, Uint8Array>;
  readonly calls: string[];
  /** CIDs whose blocks its disk no longer gives back whole. */
  readonly unreadable: Set<string>;
  /** Answers the next call of a command instead, once. */
  readonly failNext: Map<string, { status: number; body: string }>;
  close(): Promise<void>;
}

export async function startFakeKubo(): Promise<FakeKubo> {
  const blocks = new Map<string, Uint8Array>();
  const pins: Record<string, object> = {
    QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn: { Type: "recursive", Name: "" },
  };
  const unreadable = new Set<string>();
  const calls: string[] = [];
  const failNext = new Map<string, { status: number; body: string }>();
  const answer = async (
    url: URL,
    body: Buffer,
    contentType: string,
  ): Promise<{ status: number; body: string | Uint8Array }> => {
    const command = url.pathname.replace("/api/v0/", "");
    calls.push(`${command}${url.search}`);
    const failure = failNext.get(command);
    failNext.delete(command);
    if (failure !== undefined) return failure;
    if (command === "version")
      return { status: 200, body: '{"Version":"0.39.0","Commit":"","Repo":"18","System":"amd64/linux"}\n' };
    if (command === "pin/ls") return { status: 200, body: `${JSON.stringify({ Keys: pins })}\n` };
    if (command === "block/get") {
      const cid = url.searchParams.get("arg") ?? "";
      const found = blocks.get(cid);
      if (unreadable.has(cid))
        return { status: 500, body: '{"Message":"block in storage has different hash than requested","Code":0}\n' };
      const missing = `block was not found locally (offline): ipld: could not find ${cid}`;
      return found === undefined
        ? { status: 500, body: `${JSON.stringify({ Message: missing, Code: 0, Type: "error" })}\n` }
        : { status: 200, body: found };
    }
    if (command === "block/put") {
      const form = await new Response(body as Buffer<ArrayBuffer>, {
        headers: { "content-type": contentType },
      }).formData();
      const bytes = new Uint8Array(await (form.get("file") as Blob).arrayBuffer());
      if (bytes.length > 1_048_576 && url.searchParams.get("allow-big-block") !== "true")
        return { status: 500, body: '{"Message":"produced block is over 1MiB: big blocks can\'t be exchanged"}\n' };
      const key = cidText(cidBytes(url.searchParams.get("cid-codec") === "raw" ? 0x55 : 0x70, bytes));
      blocks.set(key, bytes);
      return { status: 200, body: `${JSON.stringify({ Key: key, Size: bytes.length })}\n` };
    }
    if (command === "pin/rm") {
      const root = url.searchParams.get("arg") ?? "";
      const known = root in pins;
      delete pins[root];
      return known
        ? { status: 200, body: `${JSON.stringify({ Pins: [root] })}\n` }
        : { status: 500, body: '{"Message":"not pinned or pinned indirectly","Code":0,"Type":"error"}\n' };
    }
    if (command === "dag/import") {
      const form = await new Response(body as Buffer<ArrayBuffer>, {
        headers: { "content-type": contentType },
      }).formData();
      const file = form.get("file");
      if (!(file instanceof Blob)) return { status: 400, body: "file argument 'path' is required" };
      const imported = blocksOfCar(new Uint8Array(await file.arrayBuffer()));
      for (const [cid, bytes] of imported) blocks.set(cid, bytes);
      const root = [...imported.keys()].at(-1) ?? ""; // the store sends the root last
      pins[root] = { Type: "recursive", Name: "" };
      return { status: 200, body: `${JSON.stringify({ Root: { Cid: { "/": root }, PinErrorMsg: "" } })}\n` };
    }
    return { status: 404, body: "404 page not found" };
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://localhost");
      if (request.method !== "POST") return response.writeHead(405).end("405 - Method Not Allowed");
      void answer(url, Buffer.concat(parts), request.headers["content-type"] ?? "").then(({ status, body }) =>
        response.writeHead(status).end(body),
      );
      return undefined;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    blocks,
    calls,
    unreadable,
    failNext,
    close,
  };
}
