/**
 * A client that pushes, tags and deletes until the server dies under it, and writes down what was
 * acknowledged. Every form of upload is used.
 */
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import { contentOf, type Ledger, type LedgerBlob, type LedgerManifest } from "./ledger.ts";

export interface WriterOptions {
  readonly endpoint: string;
  readonly authorization: string;
  readonly ledger: Ledger;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** A status that the registry must not have answered. */
export class UnexpectedAnswer extends Error {
  override readonly name = "UnexpectedAnswer";
}

/** Goes on until the server does not answer any more, or the signal is aborted. */
export async function write(options: WriterOptions): Promise<void> {
  while (!options.signal.aborted) {
    try {
      await step(options);
    } catch (error) {
      if (error instanceof UnexpectedAnswer) throw error;
      return;
    }
  }
}

function step(options: WriterOptions): Promise<unknown> {
  const { random, ledger } = options;
  const choice = random();
  if (choice < 0.35 || ledger.blobs.size < 3) return pushBlob(options);
  if (choice < 0.45) return continueUpload(options);
  if (choice < 0.8) return pushManifest(options);
  if (choice < 0.9) return retag(options);
  if (choice < 0.95) return deleteTag(options);
  return deleteManifest(options);
}

async function send(
  { endpoint, authorization, signal }: WriterOptions,
  method: string,
  path: string,
  init: { body?: BodyInit; headers?: Record<string, string> } = {},
): Promise<Response> {
  const response = await fetch(new URL(path, endpoint), {
    method,
    signal,
    ...(init.body !== undefined && { body: init.body }),
    headers: { authorization, ...init.headers },
  });
  // To the end: an answer that broke off is no acknowledgement.
  await response.arrayBuffer();
  return response;
}

function demand(response: Response, ...statuses: number[]): Response {
  if (statuses.includes(response.status)) return response;
  throw new UnexpectedAnswer(`${response.status} from ${response.url}`);
}

const uploadsPath = ({ ledger }: WriterOptions) => `/v2/${ledger.repository}/blobs/uploads/`;

function newBlob({ random }: WriterOptions): Omit<LedgerBlob, "at" | "digest"> {
  const size = random() < 0.1 ? 1_500_000 : Math.floor(random() * 40_000);
  return { seed: `${random()}`, size };
}

async function pushBlob(options: WriterOptions): Promise<void> {
  const { random, ledger } = options;
  const blob = newBlob(options);
  const bytes = contentOf(blob);
  const digest = digestOf(bytes, random() < 0.2 ? "sha512" : "sha256");
  const form = random();
  if (form < 0.3) {
    demand(
      await send(options, "POST", `${uploadsPath(options)}?digest=${digest}`, { body: bytes }),
      201,
    );
  } else {
    const begun = demand(await send(options, "POST", uploadsPath(options)), 202);
    const location = begun.headers.get("location") ?? "";
    if (form < 0.6) {
      demand(await send(options, "PUT", `${location}?digest=${digest}`, { body: bytes }), 201);
    } else {
      const middle = Math.floor(blob.size / 2);
      await sendChunk(options, location, blob, 0, middle);
      // Some are left open, to be continued later or after a death.
      if (form > 0.85) return;
      await sendChunk(options, location, blob, middle, blob.size);
      demand(await send(options, "PUT", `${location}?digest=${digest}`), 201);
      ledger.uploads.delete(location);
    }
  }
  ledger.blobs.set(digest, { ...blob, digest, at: Date.now() });
}

async function sendChunk(
  options: WriterOptions,
  location: string,
  blob: { seed: string; size: number },
  start: number,
  end: number,
): Promise<void> {
  const { ledger } = options;
  ledger.uploads.set(location, { ...blob, held: start, sent: end });
  if (end === start) return;
  const headers = { "content-range": `${start}-${end - 1}` };
  const body = contentOf(blob).slice(start, end);
  demand(await send(options, "PATCH", location, { body, headers }), 202);
  ledger.uploads.set(location, { ...blob, held: end, sent: end });
}

/** Asks how much is there, which must be all that was acknowledged, and sends the rest. */
async function continueUpload(options: WriterOptions): Promise<void> {
  const { ledger } = options;
  const [entry] = ledger.uploads;
  if (entry === undefined) return;
  const [location, { held, sent, ...blob }] = entry;
  const status = await send(options, "GET", location);
  if (status.status === 404) {
    // The PUT that ended it was carried out, and its answer lost.
    if (sent === blob.size) ledger.uploads.delete(location);
    else throw new UnexpectedAnswer(`the session ${location} is gone with ${held} bytes`);
    return;
  }
  demand(status, 204);
  const last = Number(status.headers.get("range")?.replace("0-", ""));
  const offset =
    last === 0 && held === 0 && sent !== 1 ? await exactOffset(options, location) : last + 1;
  if (offset < held || offset > sent) {
    throw new UnexpectedAnswer(`${offset} bytes are held; ${held} acknowledged, ${sent} sent`);
  }
  await sendChunk(options, location, blob, offset, blob.size);
  const digest = digestOf(contentOf(blob));
  demand(await send(options, "PUT", `${location}?digest=${digest}`), 201);
  ledger.uploads.delete(location);
  ledger.blobs.set(digest, { ...blob, digest, at: Date.now() });
}

/** `0-0` means nothing or one byte: an impossible chunk makes the server say it in words. */
async function exactOffset(options: WriterOptions, location: string): Promise<number> {
  const { endpoint, authorization, signal } = options;
  const refused = await fetch(new URL(location, endpoint), {
    method: "PATCH",
    signal,
    body: "x",
    headers: { authorization, "content-range": "999999999-999999999" },
  });
  const { errors } = (await refused.json()) as { errors: { detail: { heldBytes: number } }[] };
  return errors[0]?.detail.heldBytes ?? Number.NaN;
}

function pick<T>(values: Iterable<T>, random: () => number): T | undefined {
  const all = [...values];
  return all[Math.floor(random() * all.length)];
}

/** Well within the grace period of the test: older ones may have been collected, rightly. */
const youngMilliseconds = 8000;

function recentBlobs({ ledger }: WriterOptions): LedgerBlob[] {
  const oldest = Date.now() - youngMilliseconds;
  return [...ledger.blobs.values()].filter(({ at }) => at > oldest).slice(-8);
}

async function pushManifest(options: WriterOptions): Promise<void> {
  const { ledger, random } = options;
  const candidates = recentBlobs(options);
  const [config, ...rest] = candidates.sort(() => random() - 0.5);
  if (config === undefined) return;
  const layers = rest.slice(0, 1 + Math.floor(random() * 4));
  const subject = random() < 0.2 ? pick(ledger.manifests.values(), random) : undefined;
  const descriptor = ({ digest, size }: LedgerBlob, mediaType: string) => ({
    mediaType,
    digest,
    size,
  });
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(config, "application/vnd.oci.image.config.v1+json"),
    layers: layers.map((layer) => descriptor(layer, "application/vnd.oci.image.layer.v1.tar")),
    annotations: { serial: `${random()}` },
    ...(subject !== undefined && {
      subject: {
        mediaType: mediaTypes.ociManifest,
        digest: subject.digest,
        size: subject.bytes.byteLength,
      },
    }),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const manifest: LedgerManifest = {
    digest: digestOf(bytes),
    bytes,
    blobs: [config, ...layers],
    ...(subject !== undefined && { subject: subject.digest }),
  };
  await putManifest(options, manifest, `tag-${Math.floor(random() * 30)}`);
}

async function putManifest(
  options: WriterOptions,
  manifest: LedgerManifest,
  tag: string,
): Promise<void> {
  const { ledger } = options;
  ledger.sent.set(manifest.digest, manifest);
  ledger.tagMayBecome(tag, manifest.digest);
  const response = await send(options, "PUT", `/v2/${ledger.repository}/manifests/${tag}`, {
    body: manifest.bytes,
    headers: { "content-type": mediaTypes.ociManifest },
  });
  demand(response, 201);
  ledger.manifests.set(manifest.digest, manifest);
  ledger.tagIs(tag, manifest.digest);
}

async function retag(options: WriterOptions): Promise<void> {
  const manifest = pick(options.ledger.manifests.values(), options.random);
  if (manifest === undefined) return;
  await putManifest(options, manifest, `tag-${Math.floor(options.random() * 30)}`);
}

async function deleteTag(options: WriterOptions): Promise<void> {
  const { ledger, random } = options;
  const tag = pick(ledger.tags.keys(), random);
  if (tag === undefined) return;
  ledger.tagMayBecome(tag, undefined);
  const path = `/v2/${ledger.repository}/manifests/${tag}`;
  demand(await send(options, "DELETE", path), 202, 404);
  ledger.tagIs(tag, undefined);
}

async function deleteManifest(options: WriterOptions): Promise<void> {
  const { ledger, random } = options;
  const manifest = pick(ledger.manifests.values(), random);
  if (manifest === undefined) return;
  ledger.manifestMayVanish(manifest.digest);
  const path = `/v2/${ledger.repository}/manifests/${manifest.digest}`;
  demand(await send(options, "DELETE", path), 202);
  ledger.manifestVanished(manifest.digest);
}
