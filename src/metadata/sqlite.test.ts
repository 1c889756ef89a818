/** What SQLite's driver promises beyond the contract: failing disks, other processes, sudden death. */
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "../../tests/support/temporary-directory.ts";
import { LogFailedError } from "./group-commit.ts";
import type { MetadataStore, Transaction } from "./metadata-store.ts";
import { selectSetting, upsertSetting } from "./queries/settings.ts";
import { type SqliteOptions, sqliteMetadataStore } from "./sqlite.ts";

const account = "111122223333";
const write = (tx: Transaction, name: string, value = "1") =>
  upsertSetting(tx, account, name, value, 1);
const read = (store: MetadataStore, name: string) => selectSetting(store.read, account, name);

function openStore(directory: string, options: Partial<SqliteOptions> = {}) {
  return sqliteMetadataStore({ path: join(directory, "metadata.db"), now: 1, ...options });
}

/** Runs a program that has the driver and the path of the database at hand. */
function otherProcess(directory: string, program: string, prefix = "") {
  const code = `
    import { Database } from "bun:sqlite";
    import { sqliteMetadataStore } from ${JSON.stringify(join(import.meta.dir, "sqlite.ts"))};
    import { upsertSetting } from ${JSON.stringify(join(import.meta.dir, "queries/settings.ts"))};
    const path = ${JSON.stringify(join(directory, "metadata.db"))};
    const write = (tx, name, value = "1") => upsertSetting(tx, "${account}", name, value, 1);
    ${program}`;
  const script = join(directory, `${crypto.randomUUID()}.ts`);
  return Bun.write(script, code).then(() =>
    Bun.spawn(["sh", "-c", `${prefix} exec "$0" "$1"`, process.execPath, script], {
      stdout: "pipe",
      stdin: "pipe",
    }),
  );
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncIterable<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

test("after a failed sync nothing is acknowledged or written any more, and reads go on", async () => {
  using directory = temporaryDirectory();
  let broken = false;
  const store = await openStore(directory.path, {
    async openLog(path) {
      const file = await open(path, "r+");
      return {
        async datasync() {
          if (broken) throw new Error("EIO: i/o error, fdatasync");
          await file.datasync();
        },
        close: () => file.close(),
      };
    },
  });
  await store.transaction((tx) => write(tx, "a"));
  broken = true;
  let acknowledged = false;
  const unsynced = store.transaction(async (tx) => {
    tx.afterCommit(() => {
      acknowledged = true;
    });
    await write(tx, "b");
  });
  await expect(unsynced).rejects.toThrow(LogFailedError);
  expect(acknowledged).toBe(false);
  // The disk claims to be well again, but what it dropped is gone.
  broken = false;
  let ran = false;
  for (const durable of [true, false]) {
    const refused = store.transaction(
      async () => {
        ran = true;
      },
      { durable },
    );
    await expect(refused).rejects.toThrow(LogFailedError);
  }
  expect(ran).toBe(false);
  expect(await read(store, "a")).toBe("1");
  await expect(store.close()).rejects.toThrow(LogFailedError);
  const again = await openStore(directory.path);
  await again.transaction((tx) => write(tx, "c"));
  expect(await read(again, "a")).toBe("1");
  await again.close();
});

/** Few rows stay in memory until the commit writes them, many are written by their statements. */
test.each([3, 40])(
  "a full disk fails a transaction of %d MiB alone, and the store goes on",
  async (mebibytes) => {
    using directory = temporaryDirectory();
    // The limit on a file's size stands for a full disk: writing beyond 2 MiB fails.
    const limit = "trap '' XFSZ; ulimit -f 4096;";
    const child = await otherProcess(
      directory.path,
      `const store = await sqliteMetadataStore({ path, now: 1 });
       await store.transaction((tx) => write(tx, "before"));
       const large = "x".repeat(1024 * 1024);
       let statements = 0;
       const outcome = await store.transaction(async (tx) => {
         for (; statements < ${mebibytes}; statements++) await write(tx, "large " + statements, large);
       }).then(() => "committed", (error) => error.code ?? error.message);
       console.log(outcome);
       console.log(statements);
       await store.transaction((tx) => write(tx, "after"));
       await store.close();`,
      limit,
    );
    const lines = (await new Response(child.stdout).text()).trim().split("\n");
    expect(await child.exited).toBe(0);
    expect(lines[0]).toMatch(/^SQLITE_(?:IOERR|FULL)/);
    expect(Number(lines[1]) === mebibytes).toBe(mebibytes === 3);
    const store = await openStore(directory.path);
    expect(await read(store, "before")).toBe("1");
    expect(await read(store, "large 0")).toBeUndefined();
    expect(await read(store, "after")).toBe("1");
    await store.close();
  },
);

test("a write waits for another process without stopping the event loop", async () => {
  using directory = temporaryDirectory();
  const store = await openStore(directory.path);
  const child = await otherProcess(
    directory.path,
    `const database = new Database(path);
     database.run("begin immediate");
     console.log("held");
     for await (const line of console) { database.run("rollback"); break; }`,
  );
  for await (const line of linesOf(child.stdout)) {
    expect(line).toBe("held");
    break;
  }
  let done = false;
  const writing = store
    .transaction((tx) => write(tx, "a"))
    .then(() => {
      done = true;
    });
  for (let ticks = 0; ticks < 20; ticks++) await Bun.sleep(2);
  expect(done).toBe(false);
  expect(await read(store, "a")).toBeUndefined();
  child.stdin.write("go\n");
  child.stdin.end();
  await writing;
  expect(await read(store, "a")).toBe("1");
  await child.exited;
  await store.close();
});

test("a write gives up on another process after its time, and the next one is tried anew", async () => {
  using directory = temporaryDirectory();
  const store = await openStore(directory.path, { busyMilliseconds: 30 });
  const other = await openStore(directory.path);
  const gate = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const holding = other.transaction(async (tx) => {
    await write(tx, "other");
    started.resolve();
    await gate.promise;
  });
  await started.promise;
  const error = await store.transaction((tx) => write(tx, "a")).catch((caught) => caught);
  expect(error.code).toBe("SQLITE_BUSY");
  gate.resolve();
  await holding;
  await store.transaction((tx) => write(tx, "a"));
  expect(await read(other, "a")).toBe("1");
  await Promise.all([store.close(), other.close()]);
});

test("what was acknowledged survives a process that is killed", async () => {
  using directory = temporaryDirectory();
  const child = await otherProcess(
    directory.path,
    `const store = await sqliteMetadataStore({ path, now: 1 });
     for (let n = 0; ; n++) {
       await Promise.all([0, 1, 2, 3].map((i) => store.transaction((tx) => write(tx, n + "." + i))));
       console.log(n);
     }`,
  );
  let last = -1;
  for await (const line of linesOf(child.stdout)) {
    last = Number(line);
    if (last === 20) child.kill("SIGKILL");
  }
  expect(last).toBeGreaterThanOrEqual(20);
  const store = await openStore(directory.path);
  for (let n = 0; n <= last; n++) {
    for (let i = 0; i < 4; i++) expect(await read(store, `${n}.${i}`)).toBe("1");
  }
  const rows = await store.read.all("pragma integrity_check");
  expect(rows).toEqual([{ integrity_check: "ok" }]);
  await store.close();
});

test("the log is copied into the database while the store is open", async () => {
  using directory = temporaryDirectory();
  const warnings: Error[] = [];
  const store = await openStore(directory.path, { warn: (error) => void warnings.push(error) });
  const database = join(directory.path, "metadata.db");
  const value = "x".repeat(1024 * 1024);
  for (let i = 0; i < 12; i++) await store.transaction((tx) => write(tx, `n${i}`, value));
  const deadline = Date.now() + 20_000;
  while (statSync(database).size < 4_000_000 && Date.now() < deadline) await Bun.sleep(10);
  expect(statSync(database).size).toBeGreaterThan(4_000_000);
  await store.close();
  expect(warnings).toEqual([]);
});

test("more different statements than are kept prepared give the right answers", async () => {
  using directory = temporaryDirectory();
  const store = await openStore(directory.path);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 600; i++) {
      expect(await store.read.all<{ v: number }>(`select ${i} + $1 as v`, [i])).toEqual([
        { v: 2 * i },
      ]);
    }
  }
  await store.close();
});

test("a file that is no database is refused and left alone", async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "metadata.db");
  const text = "this is not a database, but long enough to look at ".repeat(100);
  await Bun.write(path, text);
  await expect(openStore(directory.path)).rejects.toThrow("not a database");
  expect(await Bun.file(path).text()).toBe(text);
});
