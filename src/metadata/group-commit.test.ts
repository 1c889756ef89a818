import { expect, test } from "bun:test";
import { groupCommit, LogFailedError, type LogFile } from "./group-commit.ts";

/** A disk whose syncs end when the test says so. */
function disk() {
  const syncs: PromiseWithResolvers<void>[] = [];
  let closed = false;
  const file: LogFile = {
    datasync() {
      const sync = Promise.withResolvers<void>();
      syncs.push(sync);
      return sync.promise;
    },
    async close() {
      closed = true;
    },
  };
  return { file, syncs, closed: () => closed };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a sync that began before the call is not enough, and waiting calls share the next", async () => {
  const { file, syncs } = disk();
  const commits = groupCommit(file);
  const done: string[] = [];
  commits.sync().then(() => done.push("first"));
  await settle();
  for (const name of ["second", "third"]) commits.sync().then(() => done.push(name));
  await settle();
  expect(syncs).toHaveLength(1);
  syncs[0]?.resolve();
  await settle();
  expect(done).toEqual(["first"]);
  expect(syncs).toHaveLength(2);
  // This one comes while the second sync runs.
  commits.sync().then(() => done.push("fourth"));
  syncs[1]?.resolve();
  await settle();
  expect(done).toEqual(["first", "second", "third"]);
  syncs[2]?.resolve();
  await settle();
  expect(done).toEqual(["first", "second", "third", "fourth"]);
  expect(syncs).toHaveLength(3);
});

test("the first failure is final, for those that wait and for all that follow", async () => {
  const { file, syncs } = disk();
  const commits = groupCommit(file);
  commits.check();
  const first = commits.sync().catch((error) => error);
  await settle();
  const waiting = commits.sync().catch((error) => error);
  const cause = new Error("EIO");
  syncs[0]?.reject(cause);
  expect(await first).toBeInstanceOf(LogFailedError);
  expect((await first).cause).toBe(cause);
  expect(await waiting).toBe(await first);
  expect(await commits.sync().catch((error) => error)).toBe(await first);
  expect(() => commits.check()).toThrow(LogFailedError);
  // The disk was never asked again: it would have claimed success.
  expect(syncs).toHaveLength(1);
});

test("close syncs once more and closes the file, also when that fails", async () => {
  const good = disk();
  const closing = groupCommit(good.file).close();
  await settle();
  expect(good.closed()).toBe(false);
  good.syncs[0]?.resolve();
  await closing;
  expect(good.closed()).toBe(true);

  const bad = disk();
  const failing = groupCommit(bad.file).close();
  await settle();
  bad.syncs[0]?.reject(new Error("EIO"));
  await expect(failing).rejects.toThrow(LogFailedError);
  expect(bad.closed()).toBe(true);
});
