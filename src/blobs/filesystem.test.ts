/** What only the filesystem driver has: its files, and what an interrupted publishing leaves. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, linkSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOf, chunksOf } from "../../tests/support/registry-pushes.ts";
import {
  memoryDirectory,
  type TemporaryDirectory,
} from "../../tests/support/temporary-directory.ts";
import { digestEncoded, digestOf } from "../image/digest.ts";
import type { BlobStore } from "./blob-store.ts";
import { makeDurableDirectories } from "./durable-directory.ts";
import { filesystemBlobStore } from "./filesystem.ts";

let directory: TemporaryDirectory;
let store: BlobStore;
beforeEach(async () => {
  directory = memoryDirectory();
  store = await filesystemBlobStore({ root: directory.path });
});
afterEach(() => directory.remove());

const bytes = bytesOf("bytes");
const digest = digestOf(bytes);
const encoded = digestEncoded(digest);
const place = () => join(directory.path, "blobs", "sha256", encoded.slice(0, 2));

test("sweeps temporary files whose stage is gone, and no others", async () => {
  const stage = await store.stage("alive");
  await stage.append(chunksOf(bytes));
  linkSync(join(directory.path, "uploads", "alive"), join(place(), `${encoded}.alive`));
  writeFileSync(join(place(), `${encoded}.dead`), "bytes");
  expect(await store.sweep()).toBe(1);
  expect(readdirSync(place())).toEqual([`${encoded}.alive`]);
  await stage.publish(digest);
  await stage.discard();
  expect(await store.sweep()).toBe(0);
  expect(readdirSync(place())).toEqual([encoded]);
});

test("a publishing that fails leaves no temporary file", async () => {
  const stage = await store.stage("u1");
  await stage.append(chunksOf(bytes));
  writeFileSync(join(directory.path, "uploads", "u1"), "cut");
  await expect(stage.publish(digest)).rejects.toThrow("changed meanwhile");
  expect(readdirSync(place())).toEqual([]);
});

test("quarantined bytes are kept as a file", async () => {
  const stage = await store.stage("u1");
  await stage.append(chunksOf(bytes));
  await stage.publish(digest);
  await (await store.withdraw(digest, "w1"))?.quarantine();
  const kept = join(directory.path, "quarantine", `sha256-${encoded}`);
  expect(readFileSync(kept, "utf8")).toBe("bytes");
});

test("names that could leave the directory are refused", async () => {
  for (const name of ["../x", "a/b", "", ".", "x".repeat(97), "a\0b"]) {
    await expect((async () => store.stage(name))()).rejects.toThrow("malformed");
    await expect((async () => store.withdraw(digest, name))()).rejects.toThrow("malformed");
  }
});

test("foreign files among stages and withdrawals are passed over", async () => {
  writeFileSync(join(directory.path, "uploads", "not a stage"), "");
  writeFileSync(join(directory.path, "withdrawn", "not a blob"), "");
  expect(await Array.fromAsync(store.stages())).toEqual([]);
  expect(await Array.fromAsync(store.withdrawn())).toEqual([]);
});

test("a new directory is made with its parents, and an existing one left alone", async () => {
  const path = join(directory.path, "a", "b", "c");
  await makeDurableDirectories([path]);
  await makeDurableDirectories([path]);
  expect(existsSync(path)).toBe(true);
});

test("chunks of every size arrive in order, and large ones are given back once written", async () => {
  const sizes = [1, 70_000, 16_384, 3, 16_383, 300_000, 65_536, 0, 9_000, 9_000, 200_000, 5];
  const whole = crypto.getRandomValues(Buffer.alloc(sizes.reduce((sum, size) => sum + size)));
  // Many rounds, so that the queue of writes is full and empty in turn.
  const rounds = 20;
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  const chunks = sizes.map((size, i) => whole.subarray(starts[i], (starts[i] ?? 0) + size));
  const sent = Array.from({ length: rounds }, () => chunks.map((chunk) => new Uint8Array(chunk)));
  const expected = Buffer.concat(Array.from({ length: rounds }, () => whole));
  const large = sent.flat().filter(({ byteLength }) => byteLength >= 16_384).length;
  const released: number[] = [];

  const stage = await store.stage("u1");
  await stage.append(chunksOf(...sent.flat()), (chunk) => {
    if (sizes.includes(chunk.byteLength)) released.push(chunk.byteLength);
    chunk.fill(0);
  });

  expect(stage.size).toBe(expected.byteLength);
  expect(Buffer.from(await (await stage.read()).arrayBuffer()).equals(expected)).toBe(true);
  expect(released.filter((size) => size >= 16_384).length).toBe(large);
});
