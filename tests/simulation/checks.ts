/** What must hold in every region after every event, and what must come to hold when faults stop. */
import { digestAlgorithm, digestOf, parseDigest } from "../../src/image/digest.ts";
import { compareVersions, type Version } from "../../src/registry/hybrid-clock.ts";
import type { Ledger } from "./clients.ts";
import type { SimulatedRegion } from "./node.ts";

export class Violation extends Error {
  override readonly name = "Violation";
}

interface TagRow {
  repository: string;
  name: string;
  digest: string;
  clock: string;
  origin: string;
  buried: number;
}

export interface Checks {
  /** Cheap, of one region: versions only move on, immutable tags stay. @throws Violation */
  versions(region: SimulatedRegion): Promise<void>;
  /** Every tag of a region has all of its closure, with the right bytes. @throws Violation */
  closures(region: SimulatedRegion): Promise<void>;
  /** Everything that was acknowledged is there, and what counts as complete is. @throws Violation */
  acknowledgements(): Promise<void>;
  /** Everything has ended and equal is what should be equal. @throws Violation */
  convergence(settings: { readonly mesh: boolean; readonly deletes: boolean }): Promise<void>;
  /** Replications that have not ended, for people. */
  pending(): Promise<string[]>;
}

export interface ChecksOptions {
  readonly regions: readonly SimulatedRegion[];
  readonly ledger: Ledger;
  /** Repositories whose tags may not move, by region. */
  readonly immutable: ReadonlySet<string>;
}

const allTags = `select r.name as repository, t.name, t.digest, t.clock, t.origin, 0 as buried
  from tags t join repositories r on r.id = t.repository_id
  union all
  select r.name, t.name, t.digest, t.clock, t.origin, 1
  from tag_tombstones t join repositories r on r.id = t.repository_id`;

export function checks({ regions, ledger, immutable }: ChecksOptions): Checks {
  /** The newest version ever seen of each tag of each region. */
  const seen = new Map<string, Version & { digest: string; buried: number }>();

  const writes = new Map<string, number>();

  const rows = <Row>(region: SimulatedRegion, sql: string, parameters: string[] = []) =>
    region.store.read.all<Row>(sql, parameters);

  /** True when a region's database was written to since the last call. */
  async function hasChanged(region: SimulatedRegion): Promise<boolean> {
    const [row] = await rows<{ writes: number }>(region, "select total_changes() as writes");
    const before = writes.get(region.name);
    writes.set(region.name, row?.writes ?? 0);
    return row?.writes !== before;
  }

  async function versions(region: SimulatedRegion): Promise<void> {
    if (!(await hasChanged(region))) return;
    const present = new Set<string>();
    for (const row of await rows<TagRow>(region, allTags)) {
      const key = `${region.name} ${row.repository}:${row.name}`;
      if (present.has(key)) throw new Violation(`${key} is a tag and a tombstone`);
      present.add(key);
      const before = seen.get(key);
      if (before !== undefined) {
        const order = compareVersions(row, before);
        if (order < 0) {
          throw new Violation(
            `${key} went back from ${before.clock} to ${row.clock} (${row.origin})`,
          );
        }
        if (order === 0 && (row.digest !== before.digest || row.buried !== before.buried)) {
          throw new Violation(
            `${key} has two contents under one version ${row.clock} ${row.origin}`,
          );
        }
        const moved =
          row.digest !== before.digest &&
          row.buried === 0 &&
          before.buried === 0 &&
          // Deleted between two looks, it may be given anew.
          !ledger.mayBeGone.has(`${region.name} ${row.repository} ${before.digest}`);
        if (moved && immutable.has(`${region.name} ${row.repository}`)) {
          throw new Violation(`${key} is immutable and has moved`);
        }
      }
      seen.set(key, { ...row });
    }
    for (const key of seen.keys()) {
      if (key.startsWith(`${region.name} `) && !present.has(key)) {
        throw new Violation(`${key} is gone without a tombstone`);
      }
    }
  }

  async function closures(region: SimulatedRegion): Promise<void> {
    const missing = await rows<{ repository: string; manifest: string; digest: string }>(
      region,
      `select r.name as repository, f.manifest, f.digest from manifest_references f
       join repositories r on r.id = f.repository_id
       where f.required = 1 and not exists (
         select 1 from manifests m where m.repository_id = f.repository_id and m.digest = f.digest)
       and not exists (
         select 1 from repository_blobs l join blobs b on b.digest = l.digest
         where l.repository_id = f.repository_id and l.digest = f.digest)`,
    );
    for (const { repository, manifest, digest } of missing) {
      // A child of an index may have been deleted by a client.
      if (ledger.mayBeGone.has(`${region.name} ${repository} ${digest}`)) continue;
      throw new Violation(`${region.name} ${repository}: ${manifest} lacks ${digest}`);
    }
    const lone = await rows<{ name: string }>(
      region,
      `select t.name from tags t where not exists (
         select 1 from manifests m where m.repository_id = t.repository_id and m.digest = t.digest)`,
    );
    if (lone.length > 0)
      throw new Violation(`${region.name}: tag ${lone[0]?.name} has no manifest`);
    for (const { digest } of await rows<{ digest: string }>(
      region,
      "select distinct f.digest from manifest_references f where f.required = 1 and f.role <> 'manifest'",
    )) {
      const parsed = parseDigest(digest);
      const bytes = parsed && (await region.blobs.read(parsed))?.bytes();
      if (parsed === undefined || bytes === undefined) {
        throw new Violation(`${region.name} has no bytes for ${digest}`);
      }
      if (digestOf(await bytes, digestAlgorithm(parsed)) !== parsed) {
        throw new Violation(`${region.name} has wrong bytes for ${digest}`);
      }
    }
  }

  async function manifestsOf(region: SimulatedRegion): Promise<Set<string>> {
    const found = await rows<{ repository: string; digest: string }>(
      region,
      `select r.name as repository, m.digest from manifests m
       join repositories r on r.id = m.repository_id`,
    );
    return new Set(found.map(({ repository, digest }) => `${repository} ${digest}`));
  }

  async function acknowledgements(): Promise<void> {
    const manifests = new Map<string, Set<string>>();
    for (const region of regions) manifests.set(region.name, await manifestsOf(region));
    for (const { region, repository, digest, kind } of ledger.acknowledged) {
      if (kind !== "push" || ledger.mayBeGone.has(`${region} ${repository} ${digest}`)) continue;
      if (!manifests.get(region)?.has(`${repository} ${digest}`)) {
        throw new Violation(`${region} has lost ${repository}@${digest}, which it acknowledged`);
      }
    }
    for (const region of regions) {
      const complete = await rows<{
        repository: string;
        digest: string;
        tag: string;
        destination_region: string;
        clock: string;
        origin: string;
      }>(
        region,
        `select repository, digest, tag, destination_region, clock, origin from replications
         where state = 'complete'`,
      );
      for (const row of complete) {
        const there = row.destination_region;
        const isGone = ledger.mayBeGone.has(`${there} ${row.repository} ${row.digest}`);
        if (!isGone && !manifests.get(there)?.has(`${row.repository} ${row.digest}`)) {
          throw new Violation(
            `${region.name} says that ${row.repository}@${row.digest} is in ${there}, and it is not`,
          );
        }
        if (row.tag === "") continue;
        const held = seen.get(`${there} ${row.repository}:${row.tag}`);
        if (held === undefined || compareVersions(held, row) < 0) {
          throw new Violation(
            `${region.name} says that ${row.repository}:${row.tag} of ${row.clock} is in ${there}, which has ${held?.clock ?? "none"}`,
          );
        }
      }
    }
  }

  async function pending(): Promise<string[]> {
    const found: string[] = [];
    for (const region of regions) {
      for (const row of await rows<Record<string, unknown>>(
        region,
        `select repository, digest, tag, destination_region, state, bulk, attempts, due_at, lease_until,
           failure_code, failure_text from replications where state = 'pending'`,
      )) {
        found.push(`${region.name}: ${JSON.stringify(row)}`);
      }
    }
    return found;
  }

  async function convergence({ mesh, deletes }: { mesh: boolean; deletes: boolean }) {
    const open = await pending();
    if (open.length > 0) throw new Violation(`replications do not end:\n${open.join("\n")}`);
    for (const region of regions) {
      const failed = await rows<Record<string, unknown>>(
        region,
        "select repository, digest, tag, destination_region, failure_code, failure_text from replications where state = 'failed'",
      );
      for (const row of failed) {
        const allowed =
          (row.failure_code === "tag_immutable" && immutable.size > 0) ||
          (row.failure_code === "image_deleted" && deletes);
        if (!allowed) throw new Violation(`${region.name} gave up: ${JSON.stringify(row)}`);
      }
    }
    if (!mesh || deletes || immutable.size > 0) return;
    const first = regions[0];
    if (first === undefined) return;
    const expected = await tagsOf(first);
    for (const region of regions) {
      const actual = await tagsOf(region);
      if (actual !== expected) {
        throw new Violation(`${first.name} and ${region.name} differ:\n${expected}\n${actual}`);
      }
    }
  }

  async function tagsOf(region: SimulatedRegion): Promise<string> {
    const found = await rows<TagRow>(region, `${allTags} order by 1, 2`);
    return found
      .map((row) => `${row.repository}:${row.name} ${row.digest} ${row.clock} ${row.origin}`)
      .join("\n");
  }

  return { versions, closures, acknowledgements, convergence, pending };
}
