/**
 * What must hold in a registry at rest, whatever was done to it: nothing half-written in the
 * database, nothing on the disk that nobody knows.
 */
import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { digestOfBlob } from "../../src/blobs/verified.ts";
import { digestAlgorithm, digestOf, parseDigest } from "../../src/image/digest.ts";
import type { TestRegistry } from "./registry.ts";

export async function expectConsistent(registry: TestRegistry): Promise<void> {
  const { metadata, blobs } = registry.context;
  const rows = <Row>(sql: string) => metadata.read.all<Row>(sql);

  const manifests = await rows<{ digest: string; bytes: Uint8Array }>(
    "select digest, bytes from manifests",
  );
  for (const { digest, bytes } of manifests) {
    const parsed = parseDigest(digest);
    if (parsed === undefined) throw new Error(`a manifest under ${digest}`);
    // Other suites fill in rows of their own, whose bytes are zeros.
    if (bytes.some((byte) => byte !== 0)) {
      expect(digestOf(bytes, digestAlgorithm(parsed)) as string).toBe(digest);
    }
  }
  expect({
    tagsWithoutManifest: await rows(
      `select t.name from tags t left join manifests m
       on m.repository_id = t.repository_id and m.digest = t.digest where m.digest is null`,
    ),
    tagsThatAreAlsoTombstones: await rows(
      `select t.name from tags t join tag_tombstones d
       on d.repository_id = t.repository_id and d.name = t.name`,
    ),
    referencesWithoutManifest: await rows(
      `select r.manifest from manifest_references r left join manifests m
       on m.repository_id = r.repository_id and m.digest = r.manifest where m.digest is null`,
    ),
    requiredBlobsMissing: await rows(
      `select r.digest from manifest_references r left join repository_blobs l
       on l.repository_id = r.repository_id and l.digest = r.digest
       where r.required = 1 and r.role <> 'manifest' and l.digest is null`,
    ),
    linksWithoutBlob: await rows(
      "select l.digest from repository_blobs l left join blobs b on b.digest = l.digest where b.digest is null",
    ),
    uploadsWithoutRepository: await rows(
      "select u.id from uploads u left join repositories r on r.id = u.repository_id where r.id is null",
    ),
  }).toEqual({
    tagsWithoutManifest: [],
    tagsThatAreAlsoTombstones: [],
    referencesWithoutManifest: [],
    requiredBlobsMissing: [],
    linksWithoutBlob: [],
    uploadsWithoutRepository: [],
  });

  for (const { digest, size } of await rows<{ digest: string; size: number }>(
    "select b.digest, b.size from blobs b join repository_blobs l on l.digest = b.digest",
  )) {
    const parsed = parseDigest(digest);
    const blob = parsed && (await blobs.read(parsed));
    if (parsed === undefined || blob === undefined) throw new Error(`no bytes for ${digest}`);
    expect(blob.size).toBe(size);
    expect(await digestOfBlob(blob, digestAlgorithm(parsed))).toBe(parsed);
  }
  for await (const { digest } of blobs.list()) {
    const blob = await blobs.read(digest);
    if (blob === undefined) throw new Error(`${digest} is listed and cannot be read`);
    expect(await digestOfBlob(blob, digestAlgorithm(digest))).toBe(digest);
  }

  await untilStagesHaveSessions(registry);
  if (registry.directory !== undefined) expectTidy(registry.directory);
}

/**
 * A session ends before its stage is discarded, and the server does both after a client that cut its
 * connection has gone: wait for it. A stage that stays without a session is a leak.
 */
async function untilStagesHaveSessions({ context }: TestRegistry): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const stages = await Array.fromAsync(context.blobs.stages());
    const rows = await context.metadata.read.all<{ id: string }>("select id from uploads");
    const sessions = new Set(rows.map(({ id }) => id));
    const orphans = stages.filter((stage) => !sessions.has(stage));
    if (orphans.length === 0) return;
    if (performance.now() > deadline) expect(orphans).toEqual([]);
    await Bun.sleep(20);
  }
}

/** Nothing lies outside the places that the store documents, and nothing temporary is left. */
function expectTidy(directory: string): void {
  const allowed =
    /^(?:metadata\.db(?:-wal|-shm)?|store(?:\/(?:uploads(?:\/[a-zA-Z0-9-]{1,64})?|withdrawn|quarantine|blobs(?:\/sha(?:256|512)(?:\/[0-9a-f]{2}(?:\/[0-9a-f]{64}(?:[0-9a-f]{64})?)?)?)?))?)$/;
  const strays = readdirSync(join(directory), { recursive: true, encoding: "utf8" }).filter(
    (path) => !allowed.test(path),
  );
  expect(strays).toEqual([]);
}
