/**
 * A region with one blob that a collection is about to take, and the ways in which a push can come
 * to rely on that blob at the same moment.
 */
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { memoryBlobStore } from "../../src/blobs/memory.ts";
import { digestOf } from "../../src/image/digest.ts";
import type { MetadataStore, SqlValue } from "../../src/metadata/metadata-store.ts";
import { collectGarbage } from "../../src/registry/collect-garbage.ts";
import type { RegistryContext } from "../../src/registry/context.ts";
import { RegistryError } from "../../src/registry/errors.ts";
import { statBlob } from "../../src/registry/find-blob.ts";
import { mountBlob } from "../../src/registry/mount-blob.ts";
import { scrub } from "../../src/registry/scrub.ts";
import type { TaskStores } from "../support/interleaving.ts";
import {
  account,
  actor,
  bytesOf,
  chunksOf,
  manifestOf,
  pushBlob,
  pushManifestBytes,
  registryContext,
} from "../support/registry-pushes.ts";
import { skippingClock } from "../support/skipping-clock.ts";

export const layer = bytesOf("the layer that is reused");
export const layerDigest = digestOf(layer);
const manifest = manifestOf(layer);

const now = 1_800_000_000_000;
const day = 24 * 3600_000;

/** Where the blob is when everything begins. All of it was touched long ago. */
export type Beginning =
  /** Pushed to `old`, and no manifest of `old` needs it. */
  | "link"
  /** Its last repository has let go of it. */
  | "row"
  /** A push died between bytes and row. */
  | "bytes"
  /** A collection died between bytes and commit. */
  | "hint"
  /** In `old` with an image, and its bytes are damaged. */
  | "damaged";

export type Reuse =
  /** Uploads it to `new`, then pushes a manifest there. */
  | "upload"
  /** Uploads it to `old` again. */
  | "upload to old"
  /** Asks for it in `old`, and uploads it only when it is not there. */
  | "ask"
  /** Mounts it from `old` to `new`, and uploads it only when that fails. */
  | "mount"
  /** Believes that it is in `old`, and just pushes the manifest. */
  | "manifest";

export interface PushWorld {
  setUp(): Promise<void>;
  blobs(): BlobStore;
  collect(stores: TaskStores): Promise<void>;
  scrub(stores: TaskStores): Promise<void>;
  reuse(reuse: Reuse): (stores: TaskStores) => Promise<void>;
  check(): Promise<string[]>;
}

export interface PushWorldOptions {
  /** For what is not part of the race. */
  readonly metadata: MetadataStore;
  readonly beginning: Beginning;
  /**
   * The collector's clock is ahead by more than the grace period, so that everything looks old to
   * it. What a manifest was acknowledged for must be kept all the same; nothing else is promised.
   */
  readonly clockAhead?: boolean;
  /** Breaks a guard of the collector, to see that the checker notices. */
  readonly breakCollector?: (stores: TaskStores) => TaskStores;
  readonly breakPush?: (stores: TaskStores) => TaskStores;
}

export function pushWorld(options: PushWorldOptions): PushWorld {
  const { metadata, beginning, clockAhead = false } = options;
  const untouched = (stores: TaskStores) => stores;
  const breakCollector = options.breakCollector ?? untouched;
  const breakPush = options.breakPush ?? untouched;
  let blobs = memoryBlobStore();
  let acknowledged: string[] = [];
  let broken: string[] = [];

  function contextOf(stores: TaskStores, late = 0): RegistryContext {
    return registryContext({
      ...stores,
      clock: skippingClock(now + late),
      settings: {
        garbageGraceMilliseconds: day,
        uploadExpiryMilliseconds: 10 * day,
      },
    });
  }

  async function setUp() {
    blobs = memoryBlobStore();
    acknowledged = [];
    broken = [];
    const old = now - 2 * day;
    await metadata.transaction(async (tx) => {
      for (const table of tables) await tx.all(`delete from ${table}`);
      const insert = (sql: string, ...parameters: SqlValue[]) => tx.all(sql, parameters);
      await insert("insert into counters (name, value) values ('repositories', 10)");
      const repository =
        "insert into repositories (id, account, name, created_at) values ($1, $2, $3, 0)";
      await insert(repository, 1, account, "old");
      await insert(repository, 2, account, "new");
      if (beginning !== "bytes") {
        await insert(
          "insert into blobs (digest, size, touched_at) values ($1, $2, $3)",
          layerDigest,
          layer.byteLength,
          old,
        );
      }
      if (beginning === "link" || beginning === "damaged") {
        await insert(
          "insert into repository_blobs (repository_id, digest, touched_at) values (1, $1, $2)",
          layerDigest,
          old,
        );
      }
    });
    if (beginning === "hint") return;
    const stage = await blobs.stage("before");
    await stage.append(chunksOf(beginning === "damaged" ? bytesOf("noise") : layer));
    await stage.publish(layerDigest);
    await stage.discard();
  }

  /** What must not happen to a client is recorded; what may happen ends the push. */
  async function push(context: RegistryContext, reuse: Reuse): Promise<void> {
    const repository = reuse === "upload" || reuse === "mount" ? "new" : "old";
    try {
      if (reuse === "mount") {
        const mount = {
          account,
          actor,
          digest: layerDigest,
          from: "old",
          mayPull: async () => true,
        };
        if (!(await mountBlob(context, { ...mount, repository }))) {
          await pushBlob(context, repository, layer);
        }
      } else if (reuse === "ask") {
        await askOrPush(context);
      } else if (reuse !== "manifest") {
        await pushBlob(context, repository, layer);
      }
      await pushManifestBytes(context, repository, manifest, "latest");
      acknowledged.push(repository);
    } catch (error) {
      // A client that asked for nothing was promised nothing.
      const promised = reuse !== "manifest" && !clockAhead;
      if (promised || !isUnknownReference(error)) broken.push(`the push failed: ${error}`);
    }
  }

  async function askOrPush(context: RegistryContext) {
    try {
      await statBlob(context, { account, repository: "old", digest: layerDigest });
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== "blob_unknown") throw error;
      await pushBlob(context, "old", layer);
    }
  }

  async function check(): Promise<string[]> {
    const violations = [...broken];
    const look = async (when: string) => {
      for (const repository of acknowledged) {
        const rows = await metadata.read.all<{ linked: number; registered: number }>(
          `select
             (select count(*) from repository_blobs l
               where l.repository_id = r.id and l.digest = $2) as linked,
             (select count(*) from blobs b where b.digest = $2) as registered
           from repositories r join manifests m on m.repository_id = r.id
           where r.name = $1`,
          [repository, layerDigest],
        );
        const content = await (await blobs.read(layerDigest))?.text();
        if (rows[0]?.linked !== 1) violations.push(`${when}: the link in ${repository} is lost`);
        if (rows[0]?.registered !== 1) violations.push(`${when}: the blob's row is lost`);
        if (content === undefined) violations.push(`${when}: the blob's bytes are lost`);
        else if (content !== new TextDecoder().decode(layer)) {
          violations.push(`${when}: the blob's bytes are wrong`);
        }
      }
    };
    if (beginning === "damaged") {
      await look("at the end");
      return violations;
    }
    // Bytes may be out of reach for as long as nobody has settled a collection that went wrong.
    for (let later = 1; later <= 2; later++) {
      const stores = { metadata, blobs };
      await collectGarbage(contextOf(stores, later * 2 * day), { dryRun: false });
      await look(`after ${later} more collections`);
    }
    return [...new Set(violations)];
  }

  return {
    setUp,
    blobs: () => blobs,
    check,
    async collect(stores) {
      const context = contextOf(breakCollector(stores), clockAhead ? 3 * day : 0);
      await collectGarbage(context, { dryRun: false });
    },
    async scrub(stores) {
      await scrub(contextOf(breakCollector(stores)));
    },
    reuse: (reuse) => (stores) => push(contextOf(breakPush(stores)), reuse),
  };
}

const tables = [
  "repositories",
  "blobs",
  "repository_blobs",
  "uploads",
  "manifests",
  "manifest_references",
  "tags",
  "tag_tombstones",
  "changes",
  "counters",
];

function isUnknownReference(error: unknown): boolean {
  return error instanceof RegistryError && error.code === "manifest_references_unknown";
}
