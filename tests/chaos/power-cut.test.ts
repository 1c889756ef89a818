/**
 * What was acknowledged survives a power cut.
 *
 * A real server runs under strace while clients push. From its system calls follows what a disk
 * certainly holds at every moment. At the very moment at which an answer leaves the server, and at
 * others, that state is written out and opened as a region again, and everything acknowledged until
 * then must be there.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { filesystemBlobStore } from "../../src/blobs/filesystem.ts";
import { type Digest, digestOf } from "../../src/image/digest.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import { findManifest } from "../../src/registry/find-manifest.ts";
import { hasDamage, scrub } from "../../src/registry/scrub.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { freePort } from "../support/free-port.ts";
import { registryContext } from "../support/registry-pushes.ts";
import { requirement } from "../support/require.ts";
import { basicAuthorization, portolanCommand, testCredentials } from "../support/server-process.ts";
import {
  memoryDirectory,
  type TemporaryDirectory,
  temporaryDirectory,
} from "../support/temporary-directory.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type Cut, DiskModel, type IgnoredSync } from "./disk-model.ts";
import { type Acknowledgement, pushRounds } from "./power-cut-pushes.ts";
import { traceCommand } from "./system-calls.ts";

const available = requirement(
  "strace",
  Bun.which("strace") !== null,
  "strace (apt-get install strace)",
);
const account = "111122223333";
const writers = 4;
const phases = 3;
const phaseRounds = 6;
const cuts = 20;
const seed = Number(process.env.PORTOLAN_CHAOS_SEED ?? Date.now() % 1_000_000);

/** Disks that say they have synced what they have not: the checker must notice each. */
const liars: readonly { readonly what: string; readonly ignores: IgnoredSync }[] = [
  { what: "the log", ignores: (path) => path.endsWith("-wal") },
  { what: "uploads", ignores: (path) => path.startsWith("uploads/") },
  { what: "the directories of blobs", ignores: (path) => /^blobs\/sha\d+\/..$/.test(path) },
  { what: "the data directory", ignores: (path) => path === "." },
  { what: "the directory that holds it", ignores: (path) => path === ".." },
];

describe.skipIf(!available)("a power cut", () => {
  let directory: TemporaryDirectory;
  let images: TemporaryDirectory;
  let acknowledgements: readonly Acknowledgement[];
  let model: DiskModel;
  let lyingModels: readonly DiskModel[];

  beforeAll(async () => {
    directory = temporaryDirectory();
    images = memoryDirectory();
    const root = join(directory.path, "new", "data");
    mkdirSync(dirname(root));
    const trace = join(directory.path, "trace");
    acknowledgements = await pushUnderTrace(root, trace);
    model = new DiskModel(root);
    lyingModels = liars.map(({ ignores }) => new DiskModel(root, ignores));
    await DiskModel.read(trace, [model, ...lyingModels]);
  }, 300_000);
  afterAll(() => {
    directory?.remove();
    images?.remove();
  });

  let imageNumber = 0;

  /** What is wrong after the cut; empty when everything acknowledged before it is there. */
  async function problemsAfter(disk: DiskModel, cut: Cut): Promise<string[]> {
    const image = join(images.path, `${imageNumber++}`);
    mkdirSync(image);
    disk.writeImage(cut, image);
    const before = acknowledgements.filter(({ requestId }) => {
      const sent = disk.answers.get(requestId);
      return sent !== undefined && sent <= cut.at;
    });
    try {
      return await problemsIn(image, before, acknowledgements);
    } catch (error) {
      return [`the region cannot be opened: ${error}`];
    } finally {
      rmSync(image, { recursive: true });
    }
  }

  test("the trace is one of a server that works hard", () => {
    const sent = acknowledgements.filter(({ requestId }) => model.answers.has(requestId));
    expect(sent.length).toBe(acknowledgements.length);
    expect(acknowledgements.length).toBeGreaterThan(phases * phaseRounds * writers * 2);
    expect(model.syncs.get("metadata.sqlite-wal")).toBeGreaterThan(50);
    // The log was copied into the database, and begun anew.
    expect(model.syncs.get("metadata.sqlite")).toBeGreaterThan(phases);
    expect(model.writesAt("metadata.sqlite-wal", 0)).toBeGreaterThan(phases);
    // Garbage was collected meanwhile.
    expect(model.namesGivenIn("withdrawn")).toBeGreaterThan(0);
  });

  test("at the moment of an answer loses nothing that was answered", async () => {
    const problems: string[] = [];
    const moments = acknowledgements.map(({ requestId }) => model.answers.get(requestId) ?? 0);
    for (const at of everyNth(moments, Math.ceil(moments.length / cuts))) {
      problems.push(...(await problemsAfter(model, { at })));
    }
    expect(problems).toEqual([]);
  }, 300_000);

  test(`at any moment loses nothing, whatever else was written by chance (seed ${seed})`, async () => {
    const problems: string[] = [];
    const random = mulberry32(seed);
    const firstAnswer = Math.min(...model.answers.values());
    for (let i = 0; i < cuts; i++) {
      const at = Math.floor(firstAnswer + random() * (model.end - firstAnswer));
      problems.push(...(await problemsAfter(model, { at, chance: random })));
    }
    expect(problems).toEqual([]);
  }, 300_000);

  test.each(liars)(
    "a disk that ignores syncs of $what is noticed",
    async ({ what }) => {
      const liar = lyingModels[liars.findIndex((other) => other.what === what)];
      if (liar === undefined) throw new Error("there is no such disk");
      const at = liar.answers.get(acknowledgements.at(-1)?.requestId ?? "") ?? 0;
      expect(await problemsAfter(liar, { at })).not.toEqual([]);
    },
    120_000,
  );

  test("a real server starts on what the disk holds", async () => {
    const image = join(images.path, "started");
    mkdirSync(image);
    model.writeImage({ at: model.end }, image);
    await using server = await startTraced(image, undefined);
    const last = acknowledgements.findLast(({ kind }) => kind === "manifest");
    const response = await fetch(
      `${server.endpoint}/v2/${last?.repository}/manifests/${last?.digest}`,
      { headers: { authorization: basicAuthorization(testCredentials) } },
    );
    expect(response.status).toBe(200);
  }, 120_000);
});

async function pushUnderTrace(root: string, trace: string): Promise<Acknowledgement[]> {
  await using server = await startTraced(root, trace);
  const { endpoint } = server;
  const authorization = basicAuthorization(testCredentials);
  const push = (repository: string, from: number, to: number, paddingBytes: number) =>
    pushRounds({ endpoint, authorization, repository, from, to, paddingBytes });
  const acknowledgements: Acknowledgement[] = [];
  for (let phase = 0; phase < phases; phase++) {
    const [from, to] = [phase * phaseRounds, (phase + 1) * phaseRounds];
    const pushes = Array.from({ length: writers }, (_, i) =>
      push(`power/writer-${i}`, from, to, 90_000),
    );
    acknowledgements.push(...(await Promise.all(pushes)).flat());
    // Under constant writing the log is never begun anew: let the server catch up.
    const log = join(root, "metadata.sqlite-wal");
    const header = logHeader(log);
    let round = phase * 1000;
    await waitUntil("the log to begin anew", async () => {
      acknowledgements.push(...(await push("power/quiet", round, ++round, 0)));
      return logHeader(log) !== header;
    });
  }
  return acknowledgements;
}

/** It has a new salt each time. https://www.sqlite.org/fileformat2.html#walformat */
function logHeader(path: string): string {
  return readFileSync(path).subarray(0, 32).toString("hex");
}

/** @param trace absent: not traced */
async function startTraced(data: string, trace: string | undefined) {
  const port = freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const serve = [
    ...[...portolanCommand(), "serve", "--region", "us-east-1", "--account", account],
    ...["--listen", `127.0.0.1:${port}`, "--data", data, "--set", "log.requests=none"],
    // So that blobs which nobody needs are collected meanwhile.
    ...["--set", "registry.garbageGrace=5s", "--set", "garbageCollection.interval=1s"],
  ];
  const child = Bun.spawn(trace === undefined ? serve : traceCommand(trace, serve), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: {
      ...process.env,
      PORTOLAN_ROOT_ACCESS_KEY_ID: testCredentials.accessKeyId,
      PORTOLAN_ROOT_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
    },
  });
  const output = Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await waitUntil("the server", async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${(await output).join("\n")}`);
    return (await fetch(`${endpoint}/healthz/ready`)).ok;
  });
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      // The server itself: strace ends with it, and not the other way round.
      const server = trace === undefined ? child.pid : childOf(child.pid);
      process.kill(server, "SIGKILL");
      await child.exited;
      await output;
    },
  };
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
}

/** @param all also what was sent later: it may have happened by then */
async function problemsIn(
  image: string,
  before: readonly Acknowledgement[],
  all: readonly Acknowledgement[],
): Promise<string[]> {
  const problems: string[] = [];
  const path = join(image, "metadata.sqlite");
  const metadata = await sqliteMetadataStore({ path, now: Date.now() });
  try {
    const blobs = await filesystemBlobStore({ root: image });
    const context = registryContext({ metadata, blobs, clock: systemClock });
    for (const { kind, repository, digest, tag, bytes } of before) {
      if (kind !== "manifest") continue;
      const found = await findManifest(
        context,
        { account, repository },
        { digest: digest as Digest },
      ).catch(() => undefined);
      if (found === undefined) problems.push(`${repository}@${digest} is lost`);
      else if (!Buffer.from(found.bytes).equals(bytes)) problems.push(`${digest} is different`);
      const tagged = await findManifest(context, { account, repository }, { tag }).catch(() => {});
      // A tag that moves is where it was last put, or where a later request wanted it.
      const possible = all.slice(all.findIndex((other) => other.digest === digest));
      const isPossible = possible.some(
        (other) =>
          other.tag === tag && other.repository === repository && other.digest === tagged?.digest,
      );
      if (!isPossible) problems.push(`${repository}:${tag} is ${tagged?.digest ?? "lost"}`);
    }
    // Every blob that can be read has the right bytes, and every image that resolves is whole.
    const report = await scrub(context);
    if (hasDamage(report)) problems.push(`damage: ${JSON.stringify(report)}`);
    problems.push(...tornBlobs(image));
  } finally {
    await metadata.close();
  }
  const database = new Database(path);
  const check = database.query<{ integrity_check: string }, []>("pragma integrity_check").all();
  database.close();
  if (check[0]?.integrity_check !== "ok") problems.push(`the database: ${JSON.stringify(check)}`);
  return problems;
}

/** Files under a digest that is not theirs, linked or not. */
function tornBlobs(image: string): string[] {
  const torn: string[] = [];
  for (const algorithm of ["sha256", "sha512"] as const) {
    const parent = join(image, "blobs", algorithm);
    for (const prefix of readdirSync(parent)) {
      for (const name of readdirSync(join(parent, prefix))) {
        if (name.includes(".")) continue;
        const bytes = readFileSync(join(parent, prefix, name));
        if (digestOf(bytes, algorithm) !== `${algorithm}:${name}`) torn.push(`${name} is torn`);
      }
    }
  }
  return torn;
}

function* everyNth<T>(values: readonly T[], n: number): Iterable<T> {
  for (let i = 0; i < values.length; i += n) yield values[i] as T;
}

/** A small generator, so that a seed gives the same choices again. */
function mulberry32(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
