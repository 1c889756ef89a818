/**
 * What a leaf that differs means. The source is read before and after the destination's answer, and
 * only what stood still is judged: what moves is on its way.
 */

import type { Digest } from "../../image/digest.ts";
import type { Queryable } from "../../metadata/metadata-store.ts";
import { selectRepository } from "../../metadata/queries/repositories.ts";
import {
  type ReplicationStateRow,
  selectPresentManifests,
  selectReplicationStates,
  selectTagStates,
  type TagStateRow,
} from "../../metadata/queries/verification.ts";
import { compareVersions } from "../../registry/hybrid-clock.ts";
import type { Destination } from "../configuration.ts";
import type { Ask, Suspect } from "./compare.ts";
import { type TagStateThere, verificationLimits } from "./messages.ts";

/** What differs, and how. */
export const differenceKinds = {
  missing: { wrong: true, meaning: "it is not there" },
  older: { wrong: true, meaning: "an older version of the tag is there" },
  different: { wrong: true, meaning: "the same version of the tag is there with another digest" },
  blob_missing: { wrong: true, meaning: "a blob of the image is not there" },
  blob_damaged: {
    wrong: true,
    meaning: "a blob of the image is damaged there, and in quarantine now",
  },
  newer: { wrong: false, meaning: "a newer version of the tag, or its later deletion, is there" },
  extra: {
    wrong: false,
    meaning: "it is there and not here: deleted here, or no rule takes it now",
  },
} as const satisfies Record<string, { readonly wrong: boolean; readonly meaning: string }>;

export type DifferenceKind = keyof typeof differenceKinds;

export interface Difference {
  readonly kind: DifferenceKind;
  readonly repository: string;
  readonly tag?: string;
  /** Of the manifest here; of an extra one, there. */
  readonly digest: string;
  /** What the tag points at there. */
  readonly digestThere?: string;
  readonly blob?: string;
  /** Its replication has failed for good, and why. */
  readonly failureCode?: string;
}

export interface Judgement {
  readonly differences: readonly Difference[];
  readonly onTheWay: number;
}

export interface JudgeOptions {
  readonly db: Queryable;
  readonly region: string;
  readonly account: string;
  readonly destination: Destination;
  readonly ask: Ask;
  readonly signal: AbortSignal;
}

const roundsLimit = 3;

/** @throws ReplicationFailure */
export async function judge(
  options: JudgeOptions,
  suspects: readonly Suspect[],
): Promise<Judgement> {
  const differences: Difference[] = [];
  let onTheWay = 0;
  for (let i = 0; i < suspects.length; i += verificationLimits.states) {
    let moving = suspects.slice(i, i + verificationLimits.states);
    for (let round = 1; moving.length > 0; round++) {
      options.signal.throwIfAborted();
      const before = await readHere(options, moving);
      const there = await readThere(options, moving);
      const after = await readHere(options, moving);
      const next: Suspect[] = [];
      for (const suspect of moving) {
        const here = after(suspect);
        if (JSON.stringify(before(suspect)) !== JSON.stringify(here)) {
          if (round < roundsLimit) next.push(suspect);
          else onTheWay += 1;
          continue;
        }
        const verdict = verdictOn(options, suspect, here, there(suspect));
        if (verdict === "on the way") onTheWay += 1;
        else if (verdict !== undefined) differences.push(verdict);
      }
      moving = next;
    }
  }
  return { differences, onTheWay };
}

interface Here {
  readonly tag: TagStateRow | undefined;
  readonly tombstone: TagStateRow | undefined;
  readonly manifest: boolean;
  /** No rule sends what came by replication itself, and what is archived waits for its restore. */
  readonly sendable: boolean;
  readonly replications: readonly ReplicationStateRow[];
}

interface There {
  readonly tag: TagStateThere | undefined;
  readonly tombstone: TagStateThere | undefined;
  readonly manifest: boolean;
}

function verdictOn(
  { region }: JudgeOptions,
  { repository, kind, key }: Suspect,
  here: Here,
  there: There,
): Difference | "on the way" | undefined {
  const pending = here.replications.some(({ state }) => state === "pending");
  const failed = here.replications.find(({ state }) => state === "failed")?.failure_code;
  const more = failed === undefined || failed === null ? {} : { failureCode: failed };
  if (kind === "manifests") {
    const image = { repository, digest: key };
    if (here.manifest === there.manifest) return undefined;
    if (!here.manifest) return { kind: "extra", ...image };
    if (!here.sendable) return undefined;
    return pending ? "on the way" : { kind: "missing", ...image, ...more };
  }
  if (here.tag === undefined || here.tag.origin !== region) {
    // Deleted here, or another region has set it since: then it is for that region to send it.
    if (there.tag === undefined || there.tag.origin !== region) return undefined;
    if (here.tag !== undefined) return undefined;
    return { kind: "extra", repository, tag: key, digest: there.tag.digest };
  }
  const image = { repository, tag: key, digest: here.tag.digest };
  const other = newest(there.tag, there.tombstone);
  if (!here.sendable) return undefined;
  if (other === undefined) return pending ? "on the way" : { kind: "missing", ...image, ...more };
  const order = compareVersions(other, here.tag);
  if (order === 0 && other.kind === "tag" && other.digest === here.tag.digest) return undefined;
  const digestThere = other.kind === "tag" ? { digestThere: other.digest } : {};
  if (order > 0) return { kind: "newer", ...image, ...digestThere };
  if (pending) return "on the way";
  if (order === 0) return { kind: "different", ...image, ...digestThere, ...more };
  // A deletion that is older than the tag leaves nothing there.
  return { kind: other.kind === "tag" ? "older" : "missing", ...image, ...digestThere, ...more };
}

function newest(a: TagStateThere | undefined, b: TagStateThere | undefined) {
  if (a === undefined || b === undefined) return a ?? b;
  return compareVersions(a, b) >= 0 ? a : b;
}

const byRepository = (suspects: readonly Suspect[]) =>
  Map.groupBy(suspects, ({ repository }) => repository);

const keysOf = (suspects: readonly Suspect[], kind: Suspect["kind"]) =>
  suspects.filter((suspect) => suspect.kind === kind).map(({ key }) => key);

async function readHere(
  { db, account, destination }: JudgeOptions,
  suspects: readonly Suspect[],
): Promise<(suspect: Suspect) => Here> {
  const found = new Map<Suspect, Here>();
  for (const [repository, group] of byRepository(suspects)) {
    const row = await selectRepository(db, account, repository);
    if (row === undefined) continue;
    const manifests = keysOf(group, "manifests");
    const tags = await selectTagStates(db, row.id, keysOf(group, "tags"));
    const digests = [...new Set([...manifests, ...tags.map(({ digest }) => digest)])];
    const present = new Map(
      (await selectPresentManifests(db, row.id, digests)).map((each) => [each.digest, each]),
    );
    const replications = await selectReplicationStates(db, row.id, destination, digests);
    for (const suspect of group) {
      const tag = tags.find(({ name, kind }) => kind === "tag" && name === suspect.key);
      const tombstone = tags.find(({ name, kind }) => kind === "tombstone" && name === suspect.key);
      found.set(suspect, {
        tag: suspect.kind === "tags" ? tag : undefined,
        tombstone: suspect.kind === "tags" ? tombstone : undefined,
        manifest: present.has(suspect.key),
        sendable: present.get(tag?.digest ?? suspect.key)?.sendable === 1,
        replications: replications.filter((each) =>
          suspect.kind === "tags"
            ? each.tag === suspect.key && each.digest === tag?.digest
            : each.digest === suspect.key,
        ),
      });
    }
  }
  return (suspect) => found.get(suspect) ?? nothingHere;
}

const nothingHere: Here = {
  tag: undefined,
  tombstone: undefined,
  manifest: false,
  sendable: false,
  replications: [],
};

async function readThere(
  { destination, ask }: JudgeOptions,
  suspects: readonly Suspect[],
): Promise<(suspect: Suspect) => There> {
  const groups = [...byRepository(suspects)];
  const answer = await ask({
    ask: "states",
    account: destination.registryId,
    states: groups.map(([repository, group]) => ({
      repository,
      tags: keysOf(group, "tags"),
      manifests: keysOf(group, "manifests") as Digest[],
    })),
  });
  if (answer.ask !== "states") throw new Error("the answer is to another question");
  const found = new Map<Suspect, There>();
  for (const [i, [, group]] of groups.entries()) {
    const { tags = [], manifests = [] } = answer.states[i] ?? {};
    for (const suspect of group) {
      const state = (kind: string) =>
        tags.find((each) => each.kind === kind && each.name === suspect.key);
      found.set(suspect, {
        tag: state("tag"),
        tombstone: state("tombstone"),
        manifest: manifests.some((digest) => digest === suspect.key),
      });
    }
  }
  return (suspect) =>
    found.get(suspect) ?? { tag: undefined, tombstone: undefined, manifest: false };
}
