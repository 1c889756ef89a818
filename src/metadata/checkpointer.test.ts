import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../tests/support/temporary-directory.ts";
import { checkpointer } from "./checkpointer.ts";

/** More than makes a checkpoint due. */
const muchBytes = 1024 ** 3;

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("the condition was never met");
    await Bun.sleep(10);
  }
}

function fill(database: Database, rows: number): void {
  const insert = database.prepare("insert into t (v) values (randomblob(4000))");
  database.transaction(() => {
    for (let i = 0; i < rows; i++) insert.run();
  })();
}

function openDatabase(path: string): Database {
  const database = new Database(path, { create: true });
  database.run("pragma journal_mode = wal");
  database.run("pragma wal_autocheckpoint = 0");
  database.run("create table t (v blob)");
  return database;
}

test("copies the log into the database while it is open", async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "a.db");
  const warnings: Error[] = [];
  using database = openDatabase(path);
  const checkpoints = checkpointer(path, (error) => void warnings.push(error));
  fill(database, 500);
  expect(statSync(path).size).toBeLessThan(100_000);
  checkpoints.written(10);
  expect(statSync(path).size).toBeLessThan(100_000);
  checkpoints.written(muchBytes);
  await until(() => statSync(path).size > 2_000_000);
  await checkpoints.close();
  await checkpoints.close();
  expect(warnings).toEqual([]);
});

test("makes a long log start over, although there was always something in it", async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "a.db");
  using database = openDatabase(path);
  const checkpoints = checkpointer(path, (error) => {
    throw error;
  });
  // 68 MiB: beyond the limit.
  fill(database, 17_000);
  const before = statSync(`${path}-wal`).size;
  checkpoints.written(muchBytes);
  await checkpoints.close();
  fill(database, 100);
  expect(statSync(`${path}-wal`).size).toBe(before);
  const log = database.query<{ log: number }, []>("pragma wal_checkpoint(passive)").get();
  expect(log?.log).toBeLessThan(1000);
});

test("tells about a failure, tries again, and can still be closed", async () => {
  using directory = temporaryDirectory();
  const warnings: string[] = [];
  const path = join(directory.path, "missing", "a.db");
  const checkpoints = checkpointer(path, ({ message }) => void warnings.push(message));
  checkpoints.written(muchBytes);
  await until(() => warnings.length > 0);
  expect(warnings[0]).toContain("the log was not copied");
  await checkpoints.close();
});

test("starts no thread when there is nothing to do", async () => {
  const checkpoints = checkpointer("/does/not/exist", (error) => {
    throw error;
  });
  checkpoints.written(10);
  await checkpoints.close();
});
