/** What the filesystem driver promises beyond the contract: its files, full disks, sudden death. */
import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesystemBlobStore } from "../../src/blobs/filesystem.ts";
import { digestOfBlob } from "../../src/blobs/verified.ts";
import { type Digest, digestAlgorithm, digestEncoded, digestOf } from "../../src/image/digest.ts";
import { memoryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";
import { chunks, pattern } from "./blob-store.ts";

const source = (path: string) => JSON.stringify(join(import.meta.dir, "../../src", path));

/** Runs a program that has the driver and a root at hand, in another process. */
async function otherProcess(root: string, program: string, prefix = "") {
  const script = join(root, `${crypto.randomUUID()}.ts`);
  await Bun.write(
    script,
    `import { filesystemBlobStore } from ${source("blobs/filesystem.ts")};
     import { digestOf } from ${source("image/digest.ts")};
     const store = await filesystemBlobStore({ root: ${JSON.stringify(root)} });
     async function* chunks(bytes) { yield bytes; }
     ${program}`,
  );
  const command = [`${prefix} exec "$0" "$1"`, process.execPath, script];
  return Bun.spawn(["sh", "-c", ...command], { stdout: "pipe" });
}

/** Every file below a directory, by its relative path. */
function filesBelow(path: string): string[] {
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

const placeOf = (digest: Digest) =>
  join("blobs", digestAlgorithm(digest), digestEncoded(digest).slice(0, 2), digestEncoded(digest));

async function publish(root: string, bytes: Uint8Array, digest = digestOf(bytes)): Promise<Digest> {
  const store = await filesystemBlobStore({ root });
  const stage = await store.stage("upload");
  await stage.append(chunks(bytes));
  await stage.publish(digest);
  await stage.discard();
  await store.close();
  return digest;
}

test("a published blob is one file of its own, and nothing else is left", async () => {
  using directory = memoryDirectory();
  const bytes = pattern(1000);
  const [short, long] = [digestOf(bytes), digestOf(bytes, "sha512")];
  for (const digest of [short, short, long]) await publish(directory.path, bytes, digest);
  expect(filesBelow(directory.path)).toEqual([placeOf(short), placeOf(long)].sort());
  expect(statSync(join(directory.path, placeOf(short))).nlink).toBe(1);
});

test("files and directories belong to the owner, who alone may write", async () => {
  using directory = memoryDirectory();
  const digest = await publish(directory.path, pattern(10));
  expect(statSync(join(directory.path, placeOf(digest))).mode & 0o777).toBe(0o600);
  for (const name of ["blobs", "uploads", "quarantine", "blobs/sha256", "blobs/sha256/00"]) {
    expect(statSync(join(directory.path, name)).mode & 0o022).toBe(0);
  }
});

test("a digest never leads out of the directory", async () => {
  using directory = memoryDirectory();
  const root = join(directory.path, "root");
  const store = await filesystemBlobStore({ root });
  writeFileSync(join(directory.path, "secret"), "secret");
  const stage = await store.stage("upload");
  await stage.append(chunks(pattern(10)));
  for (const encoded of ["../../../../secret", "..", "/etc/passwd", "ab/../../../../../secret"]) {
    const digest = `sha256:${encoded}` as Digest;
    for (const call of [store.stat, store.read, stage.publish]) {
      await expect((async () => call(digest))()).rejects.toThrow("malformed digest");
    }
  }
  expect(filesBelow(directory.path)).toEqual(["root/uploads/upload", "secret"]);
});

test("what is no blob among the blobs is not listed", async () => {
  using directory = memoryDirectory();
  const digest = await publish(directory.path, pattern(10));
  const place = join(directory.path, "blobs/sha256");
  const encoded = digestEncoded(digest);
  writeFileSync(join(place, encoded.slice(0, 2), `${encoded}.upload-1`), "interrupted");
  writeFileSync(join(place, "00", "README"), "hello");
  writeFileSync(join(place, encoded.startsWith("00") ? "01" : "00", encoded), "misplaced");
  mkdirSync(join(place, "00", "directory"));
  writeFileSync(join(directory.path, "uploads", "not an upload"), "");
  const store = await filesystemBlobStore({ root: directory.path });
  const listed = await Array.fromAsync(store.list());
  expect(listed.map((blob) => blob.digest)).toEqual([digest]);
  expect(await Array.fromAsync(store.stages())).toEqual([]);
});

test("a full disk keeps what arrived, and the upload goes on when there is room", async () => {
  using directory = temporaryDirectory();
  // The limit on a file's size stands for a full disk: writing beyond 2 MiB fails.
  const child = await otherProcess(
    directory.path,
    `const stage = await store.stage("upload");
     const bytes = new Uint8Array(3 * 1024 * 1024).fill(7);
     const outcome = await stage.append(chunks(bytes)).then(() => "written", (error) => error.code);
     console.log(outcome, stage.size, (await store.stage("upload")).size);`,
    "trap '' XFSZ; ulimit -f 4096;",
  );
  const outcome = (await new Response(child.stdout).text()).trim();
  expect(outcome).toBe(`EFBIG ${2 * 1024 * 1024} ${2 * 1024 * 1024}`);
  const store = await filesystemBlobStore({ root: directory.path });
  const stage = await store.stage("upload");
  const bytes = new Uint8Array(3 * 1024 * 1024).fill(7);
  await stage.append(chunks(bytes.subarray(stage.size)));
  await stage.publish(digestOf(bytes));
  expect((await store.stat(digestOf(bytes)))?.size).toBe(bytes.byteLength);
});

test("after a sudden death every blob is whole, and what was acknowledged is there", async () => {
  using directory = temporaryDirectory();
  const child = await otherProcess(
    directory.path,
    `for (let n = 0; ; n++) {
       await Promise.all([0, 1, 2, 3].map(async (i) => {
         const bytes = new Uint8Array(200_000).fill(n * 4 + i);
         bytes.set([n & 255, n >> 8, i]);
         const stage = await store.stage("upload-" + n + "-" + i);
         await stage.append(chunks(bytes));
         const digest = digestOf(bytes);
         await stage.publish(digest);
         await stage.discard();
         console.log(digest);
       }));
     }`,
  );
  const acknowledged: string[] = [];
  let rest = "";
  for await (const chunk of child.stdout) {
    const lines = (rest + new TextDecoder().decode(chunk)).split("\n");
    rest = lines.pop() ?? "";
    acknowledged.push(...lines);
    if (acknowledged.length > 60) child.kill("SIGKILL");
  }
  const store = await filesystemBlobStore({ root: directory.path });
  const listed = new Set<string>();
  for await (const { digest, size } of store.list()) {
    expect(size).toBe(200_000);
    const blob = await store.read(digest);
    expect(await digestOfBlob(blob ?? new Blob(), "sha256")).toBe(digest);
    listed.add(digest);
  }
  expect(acknowledged.length).toBeGreaterThan(60);
  expect(acknowledged.filter((digest) => !listed.has(digest))).toEqual([]);
});

test.skipIf(process.getuid?.() === 0)("a directory that cannot be written is refused", async () => {
  using directory = temporaryDirectory();
  chmodSync(directory.path, 0o500);
  const root = join(directory.path, "root");
  await expect(filesystemBlobStore({ root })).rejects.toThrow("EACCES");
  expect(existsSync(root)).toBe(false);
});
