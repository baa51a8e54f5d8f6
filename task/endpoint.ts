/** A node's HTTP endpoint: the gateway, announced on chain if it changed. */
import type { FastifyInstance } from "fastify";
import type { ListenAddress } from "../command/listen-address.ts";
import { createGateway, MAX_UPLOADS, MAX_UPLOADS_PER_SENDER } from "../content/gateway.ts";
import { CHUNK_BYTES } from "../content/profile.ts";
import { parsePeerUrl } from "../content/peers.ts";
import { mayPass, VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { WritingNode } from "./node.ts";
import { sharesByNames } from "./share-directories.ts";
import { createBeside } from "./beside.ts";
import { untilFinal } from "./until-final.ts";
import { authoriseTaskUploads, uploadSender } from "./upload-authorisation.ts";
import { bundleBytes } from "../protocol/bundle.ts";
import { readUserText, refuseWith } from "../storage/user-file.ts";
import { urlOf } from "../command/listen-address.ts";

/** Room in an upload for the directory and the files' inner blocks. */
const DIRECTORY_BYTES = 65_536;

/** PEM texts. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** Where a node listens, what others are told, and the files for TLS if it ends there. */
export interface EndpointOptions {
  readonly listen: ListenAddress;
  /** The endpoint that others use and that is announced on chain; the listening address by default. */
  readonly publicUrl?: string;
  /** Certificate chain and key, PEM; both or neither. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** The URL that others use. @throws USAGE if it is none that others could use */
export function publicUrlOf({ publicUrl, listen, tlsCert }: EndpointOptions): string {
  const url = publicUrl ?? urlOf(listen, tlsCert === undefined ? "http" : "https");
  try {
    parsePeerUrl(url);
    return url;
  } catch (cause) {
    const message = `others cannot reach ${url}: give the URL that they can with --public-url`;
    throw new VerisumError("USAGE", message, { url }, { cause });
  }
}

/** @throws USAGE if only one of the two is named; STORAGE_FAILED if one cannot be read */
export async function readTls({ tlsCert, tlsKey }: EndpointOptions): Promise<TlsFiles | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new VerisumError("USAGE", "--tls-cert and --tls-key belong together");
  const [cert, key] = await Promise.all([tlsCert, tlsKey].map(readPem));
  return { cert: cert!, key: key! };
}

function readPem(path: string): Promise<string> {
  return readUserText(path, refuseWith("STORAGE_FAILED", path, { path }));
}

/** Builds the gateway with this task's upload rules: who, how often, and what: a bundle of shares, or a sum of them. */
export function taskGateway(
  node: Pick<WritingNode, "store" | "chain" | "task" | "observer" | "state" | "scope">,
  publicUrl: string,
  tls?: TlsFiles,
): FastifyInstance {
  const { committeeSize, threshold, maxCorrupt } = node.task.parameters;
  const now = (): number => Math.floor(Date.now() / 1000);
  const ownUrls = async (): Promise<readonly string[]> => {
    const announced = (await node.chain.endpoints()).get(node.chain.account);
    return announced === undefined || announced === publicUrl ? [publicUrl] : [publicUrl, announced];
  };
  const content = bundleBytes(committeeSize, { elementCount: node.task.layout.elementCount, threshold });
  return createGateway({
    limits: {
      // As many more as all whom the task takes for corrupt could hold by trickling.
      maxUploads: MAX_UPLOADS + MAX_UPLOADS_PER_SENDER * (maxCorrupt + threshold - 1),
      maxUploadBytes: content + DIRECTORY_BYTES,
      // The directory, and of each file two blocks besides those that are full: each of them is a file on the disk.
      maxUploadBlocks: 1 + 2 * (committeeSize + Math.ceil(content / CHUNK_BYTES)),
    },
    store: node.store,
    reporter: node.observer,
    authoriseUpload: authoriseTaskUploads(node.chain, ownUrls, now, node.state.file(node.scope, "uploads.json")),
    ...(tls === undefined ? {} : { tls }),
    // Whatever else a role publishes, others fetch.
    isTaken: sharesByNames(committeeSize),
    senderOf: uploadSender,
    allowedHosts: ["localhost", "127.0.0.1", "[::1]", new URL(publicUrl).hostname],
  });
}

/**
 * Listens, and announces the URL on chain if it is not announced already. A node begins without where that cannot be
 * paid for or is not mined: what it states needs no transaction.
 * @returns a chore that announces it where it is not, or not any more, until the announcement is final
 * @throws LISTEN_FAILED, CHAIN_* errors
 */
export async function openEndpoint(
  app: FastifyInstance,
  listen: ListenAddress,
  publicUrl: string,
  { chain }: Pick<WritingNode, "chain">,
  reporter: Reporter,
): Promise<() => Promise<void>> {
  await listenAt(app, listen);
  const isAnnounced = async (): Promise<boolean> => (await chain.endpoints()).get(chain.account) === publicUrl;
  const announce = untilFinal(chain, isAnnounced, () => chain.announce(publicUrl));
  const beside = createBeside<void>();
  let said: string | undefined;
  const chore = async (): Promise<void> => {
    try {
      await beside(announce);
    } catch (error) {
      if (!mayPass(error)) throw error;
      const { code } = error;
      const text = `${publicUrl} is not announced: ${code}: ${error.message}; trying again`;
      if (said !== code) reporter.say("warn", "announcement-late", text, { url: publicUrl, code });
      said = code;
    }
  };
  await chore();
  reporter.say("good", "listening", `gateway at ${publicUrl}/ipfs/<cid>/`, { url: publicUrl });
  return chore;
}

/** @throws LISTEN_FAILED */
export async function listenAt(app: FastifyInstance, listen: ListenAddress): Promise<void> {
  await app.listen(listen).catch((cause: unknown) => {
    const { code } = cause as NodeJS.ErrnoException;
    throw new VerisumError("LISTEN_FAILED", `cannot listen at ${listen.host}:${listen.port}: ${code}`, {}, { cause });
  });
}
