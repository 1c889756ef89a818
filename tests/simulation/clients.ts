/** Clients of a region: they push, move tags and delete, and keep a log of what they were told. */
import type { Digest } from "../../src/image/digest.ts";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import type { RegistryContext } from "../../src/registry/context.ts";
import { deleteImage } from "../../src/registry/delete-image.ts";
import { RegistryError } from "../../src/registry/errors.ts";
import { finishUpload } from "../../src/registry/finish-upload.ts";
import { pushManifest } from "../../src/registry/push-manifest.ts";
import { startUpload } from "../../src/registry/start-upload.ts";
import { testAccount } from "../support/push-image.ts";
import type { Chance } from "./chance.ts";
import { DiskFull, type SimulatedRegion } from "./node.ts";
import type { Scheduler } from "./scheduler.ts";

export const account = testAccount;
export const actor = `arn:aws:iam::${account}:root`;

/** What was acknowledged, in the order of the acknowledgements. */
export interface Acknowledgement {
  readonly region: string;
  readonly repository: string;
  readonly kind: "push" | "delete-tag" | "delete-image";
  readonly tag?: string | undefined;
  readonly digest: Digest;
}

export interface Ledger {
  readonly acknowledged: Acknowledgement[];
  /** Deletions that were asked for, answered or not: what they name may be gone. */
  readonly mayBeGone: Set<string>;
}

export interface ClientOptions {
  readonly name: string;
  readonly region: SimulatedRegion;
  readonly time: Scheduler;
  readonly random: Chance;
  readonly operations: number;
  readonly deletes: boolean;
  readonly ledger: Ledger;
  readonly trace: (text: string) => void;
}

const repositories = ["app", "lib/base"];
const tags = ["latest", "v1", "v2"];
/** A client gives up and goes on: it will never know. */
const patienceMilliseconds = 60_000;

export async function runClient(options: ClientOptions): Promise<void> {
  const { region, time, random, operations, ledger, trace, name } = options;
  const pushed: { repository: string; digest: Digest; size: number }[] = [];
  for (let count = 0; count < operations; count++) {
    await time.sleep(random.between(0, 8_000));
    const incarnation = region.current();
    if (incarnation === undefined) continue;
    const { context } = incarnation;
    const what = random.next();
    const operation =
      what < 0.7 || pushed.length === 0
        ? push(context)
        : what < 0.85
          ? retag(context)
          : options.deletes
            ? remove(context)
            : push(context);
    const gaveUp = time.sleep(patienceMilliseconds).then(() => "gave up" as const);
    const outcome = await Promise.race([operation, gaveUp]).catch((error: unknown) => {
      if (isRefusal(error)) return `refused: ${(error as Error).message.slice(0, 60)}`;
      throw error;
    });
    if (outcome !== undefined) trace(`${name}: ${outcome}`);
  }

  async function push(context: RegistryContext): Promise<void> {
    const repository = random.pick(repositories);
    const layers = Array.from({ length: random.between(1, 3) }, () =>
      // Few different ones, so that images share layers and a layer is reused when it is old.
      layer(random.between(0, 12)),
    );
    const descriptors = [];
    for (const bytes of layers) descriptors.push(await pushBlob(context, repository, bytes));
    const config = await pushBlob(context, repository, new Uint8Array(random.bytes(24)));
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: descriptors.map((each) => ({
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        ...each,
      })),
      ...(pushed.length > 0 && random.happens(0.15) && { subject: subjectOf(repository) }),
    };
    const isIndexed = random.happens(0.2);
    const child = await put(context, repository, manifest, isIndexed ? [] : [random.pick(tags)]);
    if (!isIndexed) return;
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [{ mediaType: mediaTypes.ociManifest, ...child }],
    };
    await put(context, repository, index, [random.pick(tags)]);
  }

  function subjectOf(repository: string) {
    const known = pushed.filter((each) => each.repository === repository);
    const { digest, size } = random.pick(known.length > 0 ? known : pushed);
    return { mediaType: mediaTypes.ociManifest, digest, size };
  }

  async function put(
    context: RegistryContext,
    repository: string,
    document: { readonly mediaType: string },
    named: readonly string[],
  ): Promise<{ digest: Digest; size: number }> {
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const digest = digestOf(bytes);
    trace(`${name}: push ${repository}:${named[0] ?? "-"} ${digest.slice(7, 15)}`);
    await pushManifest(context, {
      account,
      repository,
      actor,
      bytes,
      contentType: document.mediaType,
      digest,
      tags: named,
    });
    const [tag] = named;
    ledger.acknowledged.push({ region: region.name, repository, kind: "push", tag, digest });
    trace(`${name}: 201 ${repository}:${tag ?? "-"} ${digest.slice(7, 15)}`);
    const size = bytes.byteLength;
    pushed.push({ repository, digest, size });
    return { digest, size };
  }

  async function retag(context: RegistryContext): Promise<void> {
    const { repository, digest } = random.pick(pushed);
    const [row] = await context.metadata.read.all<{ bytes: Uint8Array; media_type: string }>(
      `select bytes, media_type from manifests where digest = $1 and repository_id =
       (select id from repositories where account = $2 and name = $3)`,
      [digest, account, repository],
    );
    if (row === undefined) return;
    const tag = random.pick(tags);
    await pushManifest(context, {
      account,
      repository,
      actor,
      bytes: row.bytes,
      contentType: row.media_type,
      digest,
      tags: [tag],
    });
    ledger.acknowledged.push({ region: region.name, repository, kind: "push", tag, digest });
    trace(`${name}: 201 retag ${repository}:${tag} ${digest.slice(7, 15)}`);
  }

  async function remove(context: RegistryContext): Promise<void> {
    const { repository, digest } = random.pick(pushed);
    ledger.mayBeGone.add(`${region.name} ${repository} ${digest}`);
    trace(`${name}: delete ${repository}@${digest.slice(7, 15)}`);
    await deleteImage(context, { account, repository, actor, digest });
    ledger.acknowledged.push({ region: region.name, repository, kind: "delete-image", digest });
  }
}

async function pushBlob(
  context: RegistryContext,
  repository: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ digest: Digest; size: number }> {
  const digest = digestOf(bytes);
  const uploadId = await startUpload(context, { account, repository, actor });
  async function* once() {
    yield bytes;
  }
  await finishUpload(context, { account, repository, uploadId }, digest, { bytes: once() });
  return { digest, size: bytes.byteLength };
}

const layers = new Map<number, Uint8Array<ArrayBuffer>>();

/** The same bytes in every region, from 40 bytes to 12 KB. */
function layer(number: number): Uint8Array<ArrayBuffer> {
  let bytes = layers.get(number);
  if (bytes === undefined) {
    const length = [40, 200, 700, 1600, 5000, 12_000][number % 6] ?? 40;
    bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + number * 17 + (i >> 8)) & 0xff);
    layers.set(number, bytes);
  }
  return bytes;
}

/** What a client may be told without anything being wrong. */
function isRefusal(error: unknown): boolean {
  if (error instanceof DiskFull || (error as Error).cause instanceof DiskFull) return true;
  return error instanceof RegistryError;
}
