/**
 * Verbs of the registry that meet in one row which does not exist yet, or does not exist any more.
 * One transaction at a time, as in SQLite, hides such races; on PostgreSQL they must be held off.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { memoryBlobStore } from "../../src/blobs/memory.ts";
import { verified } from "../../src/blobs/verified.ts";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import type { MetadataStore } from "../../src/metadata/metadata-store.ts";
import { selectChanges } from "../../src/metadata/queries/changes.ts";
import { defaultRegistrySettings, type RegistryContext } from "../../src/registry/context.ts";
import { createRepository } from "../../src/registry/create-repository.ts";
import { deleteManifest } from "../../src/registry/delete-manifest.ts";
import { deleteTag } from "../../src/registry/delete-tag.ts";
import { changeDocument, documentKind, findDocument } from "../../src/registry/documents.ts";
import { isRegistryError } from "../../src/registry/errors.ts";
import { hybridClock } from "../../src/registry/hybrid-clock.ts";
import { keyedMutex } from "../../src/registry/keyed-mutex.ts";
import { pushManifest } from "../../src/registry/push-manifest.ts";
import { systemClock, systemRandom } from "../../src/runtime/clock.ts";
import { metadataStores } from "../support/metadata-stores.ts";

const account = "111122223333";
const actor = `arn:aws:iam::${account}:root`;
const rounds = 6;

for (const [name, openStore, available] of metadataStores) {
  describe.skipIf(!available)(`races: ${name}`, () => {
    let metadata: MetadataStore;
    let context: RegistryContext;

    beforeAll(async () => {
      metadata = await openStore();
      context = {
        ...{ region: "us-east-1", metadata, blobs: verified(memoryBlobStore()) },
        ...{ clock: systemClock, random: systemRandom, hybridClock: hybridClock(systemClock) },
        ...{ settings: defaultRegistrySettings, observers: [], uploadMutex: keyedMutex() },
      };
    });
    afterAll(() => metadata.close());

    /** An index without children needs nothing else. */
    const bytesOf = (n: number | string) =>
      new TextEncoder().encode(
        JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], n }),
      );
    const push = (repository: string, n: number | string, tags: string[]) =>
      pushManifest(context, {
        ...{
          account,
          repository,
          actor,
          tags,
          bytes: bytesOf(n),
          contentType: mediaTypes.ociIndex,
        },
      });
    const unlessUnknown = (error: unknown) => {
      if (!isRegistryError(error, "manifest_unknown")) throw error;
    };

    test("the first pushes of one tag leave the newest version, and a journal in its order", async () => {
      for (let round = 0; round < rounds; round++) {
        const repository = `first/${round}`;
        await createRepository(context, { account, repository, actor });
        await Promise.all(Array.from({ length: 12 }, (_, i) => push(repository, i, ["latest"])));
        const changes = await selectChanges(metadata.read, 0, 100_000);
        const clocks = changes
          .filter((change) => change.repository === repository && change.tag === "latest")
          .map((change) => change.clock ?? "");
        expect(clocks).toEqual([...clocks].sort());
        const rows = await metadata.read.all<{ clock: string }>(
          `select clock from tags
           where repository_id = (select id from repositories where name = $1)`,
          [repository],
        );
        expect(rows).toEqual([{ clock: clocks.at(-1) ?? "" }]);
      }
    });

    test("a tag never points at a manifest that was deleted meanwhile", async () => {
      const repository = "deleted";
      await createRepository(context, { account, repository, actor });
      for (let round = 0; round < rounds * 4; round++) {
        const { digest } = await push(repository, "same", []);
        await Promise.all([
          push(repository, "same", [`tag-${round}`]),
          deleteManifest(context, { account, repository, actor, digest }).catch(unlessUnknown),
          push(repository, "same", [`other-${round}`]),
        ]);
        const dangling = await metadata.read.all(
          `select name from tags where not exists
             (select 1 from manifests
              where manifests.repository_id = tags.repository_id
                and manifests.digest = tags.digest)`,
        );
        expect(dangling).toEqual([]);
      }
    });

    test("a tag and its tombstone are never there together", async () => {
      const repository = "buried";
      await createRepository(context, { account, repository, actor });
      for (let round = 0; round < rounds; round++) {
        const tag = `tag-${round}`;
        await push(repository, 0, [tag]);
        const bury = () =>
          deleteTag(context, { account, repository, actor, tag }).catch(unlessUnknown);
        const work = Array.from({ length: 5 }, (_, i) => [push(repository, i, [tag]), bury()]);
        await Promise.all(work.flat());
        const both = await metadata.read.all(
          `select name from tags where exists
             (select 1 from tag_tombstones
              where tag_tombstones.repository_id = tags.repository_id
                and tag_tombstones.name = tags.name)`,
        );
        expect(both).toEqual([]);
      }
    });

    test("a document that does not exist yet loses no change", async () => {
      const kind = documentKind<{ writers: number[] }>("test", "region");
      for (let round = 0; round < rounds; round++) {
        const target = { account, name: `document-${round}`, actor };
        const write = (i: number) =>
          metadata.transaction((tx) =>
            changeDocument(context, tx, kind, target, (present) => ({
              writers: [...(present?.writers ?? []), i],
            })),
          );
        await Promise.all(Array.from({ length: 12 }, (_, i) => write(i)));
        const found = await findDocument(metadata.read, kind, account, target.name);
        expect(found?.value.writers.toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: 12 }, (_, i) => i),
        );
      }
    });

    test("the digest of what is pushed is the digest of its bytes", async () => {
      expect((await push("plain", 1, [])).digest).toBe(digestOf(bytesOf(1)));
    });
  });
}
