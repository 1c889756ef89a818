import { expect, test } from "bun:test";
import fc from "fast-check";
import { facts } from "../../tests/support/access-request.ts";
import { recording } from "../../tests/support/audit-records.ts";
import { manualClock } from "../../tests/support/manual-clock.ts";
import type { MetadataStore, Transaction } from "../metadata/metadata-store.ts";
import { sqliteMetadataStore } from "../metadata/sqlite.ts";
import { systemRandom } from "../runtime/clock.ts";
import { type AuditRecord, isRead } from "./audit.ts";
import { auditLine, auditRecords } from "./audit-block.ts";
import { type AuditQuery, auditLog, expireAudit, readAudit } from "./audit-log.ts";

const start = 1_800_000_000_000;

function record(overrides: Partial<AuditRecord> = {}): AuditRecord {
  return {
    time: start,
    principal: "arn:aws:iam::111122223333:user/jo",
    account: "111122223333",
    accessKeyId: "AKIAABCDEFGHIJKLMNOP",
    action: "ecr:BatchGetImage",
    resource: "arn:aws:ecr:us-east-1:111122223333:repository/web",
    decision: "allowed",
    reason: null,
    requestId: facts().requestId,
    sourceAddress: "192.0.2.1",
    userAgent: "docker/27.0",
    ...overrides,
  };
}

const push = (overrides: Partial<AuditRecord> = {}) =>
  record({ action: "ecr:PutImage", ...overrides });

/** A database whose transactions can be held and made to fail. */
async function setUp(options: { waitingCallsLimit?: number } = {}) {
  const clock = manualClock(start);
  const sqlite = await sqliteMetadataStore({ path: ":memory:", now: start });
  let broken = false;
  let durable = 0;
  const metadata: MetadataStore = {
    ...sqlite,
    async transaction<T>(work: (tx: Transaction) => Promise<T>, how?: { durable?: boolean }) {
      if (broken) throw new Error("the disk is full");
      if (how?.durable !== false) durable++;
      return sqlite.transaction(work, how);
    },
  };
  const errors: unknown[] = [];
  const log = auditLog({
    metadata,
    clock,
    random: systemRandom,
    onError: (error) => void errors.push(error),
    ...options,
  });
  return {
    clock,
    log,
    metadata,
    errors,
    breakDown: (is: boolean) => {
      broken = is;
    },
    durableTransactions: () => durable,
    read: (query: AuditQuery = {}) => Array.fromAsync(readAudit(metadata, query)),
    /** Lets time go by until it is so: how long the work takes is the machine's affair. */
    async passUntil(isSo: () => boolean | Promise<boolean>) {
      while (!(await isSo())) {
        clock.advance(100);
        await Bun.sleep(1);
      }
    },
    /** Advances in small steps, so that everything that becomes due begins. */
    async pass(milliseconds: number) {
      for (let passed = 0; passed < milliseconds; passed += 100) {
        clock.advance(100);
        await Bun.sleep(1);
      }
    },
  };
}

test("a mutation and a refusal are in the database when the call goes on", async () => {
  const { log, read } = await setUp();
  await log.record(...recording([push()]));
  await log.record(...recording([record({ decision: "denied", reason: "because" })]));
  expect(await read()).toEqual([push(), record({ decision: "denied", reason: "because" })]);
});

test("reads wait for nothing and come in one block, at the latest with the next mutation", async () => {
  const { log, read, passUntil, metadata } = await setUp();
  const reads = Array.from({ length: 50 }, (_, n) => record({ resource: `r${n}` }));
  for (const one of reads.slice(0, 49)) expect(log.record(...recording([one]))).toBeUndefined();
  expect(await read()).toEqual([]);
  await passUntil(async () => (await read()).length > 0);
  expect(await read()).toHaveLength(49);
  log.record(...recording(reads.slice(49)));
  await log.record(...recording([push()]));
  expect(await read()).toEqual([...reads, push()]);
  expect(await metadata.read.all("select calls, encoding from audit_blocks")).toEqual([
    { calls: 49, encoding: "zstd" },
    { calls: 2, encoding: "json" },
  ]);
});

test("many reads are written before their time", async () => {
  const { log, read } = await setUp();
  for (let n = 0; n < 1000; n++) log.record(...recording([record()]));
  // No time passes.
  while ((await read()).length === 0) await Bun.sleep(1);
  expect(await read()).toHaveLength(1000);
});

test("everything is durable within a second, and on closing", async () => {
  const { log, pass, passUntil, durableTransactions, read } = await setUp();
  await log.record(...recording([push()]));
  expect(durableTransactions()).toBe(0);
  await passUntil(() => durableTransactions() === 1);
  await pass(5000);
  expect(durableTransactions()).toBe(1);
  log.record(...recording([record()]));
  await log.close();
  expect(durableTransactions()).toBe(2);
  expect(await read()).toHaveLength(2);
});

test("who comes when too many wait, waits too, and nothing is lost", async () => {
  const { log, read } = await setUp({ waitingCallsLimit: 10 });
  const waits: Promise<void>[] = [];
  for (let n = 0; n < 100; n++) {
    const waiting = log.record(...recording([record({ resource: `r${n}` })]));
    if (waiting !== undefined) waits.push(waiting);
  }
  expect(waits.length).toBeGreaterThan(80);
  await Promise.all(waits);
  await log.close();
  expect(new Set((await read()).map(({ resource }) => resource)).size).toBe(100);
});

test("when the database fails, mutations fail, reads are kept, and memory stays bounded", async () => {
  const { log, read, breakDown, errors, passUntil } = await setUp({ waitingCallsLimit: 10 });
  breakDown(true);
  expect(log.record(...recording([record({ resource: "kept" })]))).toBeUndefined();
  await expect(log.record(...recording([push()]))).rejects.toThrow("the disk is full");
  for (let n = 0; n < 100; n++) log.record(...recording([record()]))?.catch(() => {});
  await passUntil(() => errors.length > 1);
  breakDown(false);
  await passUntil(async () => (await read()).length > 0);
  const kept = await read();
  expect(kept[0]?.resource).toBe("kept");
  expect(kept.length).toBeLessThan(30);
  await log.record(...recording([push()]));
  await log.close();
});

test("closing reports what could not be written", async () => {
  const { log, breakDown } = await setUp();
  breakDown(true);
  log.record(...recording([record()]));
  await expect(log.close()).rejects.toThrow("the disk is full");
});

test("it is read by time, principal, action and decision, over any number of blocks", async () => {
  const { log, read } = await setUp();
  const records: AuditRecord[] = [];
  for (let n = 0; n < 200; n++) {
    const one = push({
      time: start + n,
      principal: `arn:aws:iam::111122223333:user/${n % 3 === 0 ? "a_b" : "aXb"}`,
      ...(n % 10 === 0 && { decision: "denied", reason: "because" }),
      action: n % 2 === 0 ? "ecr:PutImage" : "ecr:DeleteRepository",
    });
    records.push(one);
    await log.record(...recording([one]));
  }
  const expected = (keep: (one: AuditRecord, n: number) => boolean) => records.filter(keep);
  expect(await read()).toEqual(records);
  expect(await read({ since: start + 150 })).toEqual(expected((_, n) => n >= 150));
  expect(await read({ until: start + 20 })).toEqual(expected((_, n) => n <= 20));
  expect(await read({ denied: true })).toEqual(expected((_, n) => n % 10 === 0));
  expect(await read({ action: "ECR:putimage" })).toEqual(expected((_, n) => n % 2 === 0));
  // A `_` of a name is no wildcard.
  expect(await read({ principal: "arn:aws:iam::111122223333:user/a_b" })).toEqual(
    expected((_, n) => n % 3 === 0),
  );
  expect(await read({ principal: "arn:aws:iam::111122223333:user/a%" })).toEqual([]);
});

test("what is older than the audit is kept is forgotten", async () => {
  const { log, read, metadata } = await setUp();
  for (let n = 0; n < 25; n++) await log.record(...recording([push({ time: start + n })]));
  expect(await expireAudit(metadata, start + 12, 5)).toBe(12);
  expect((await read()).map(({ time }) => time - start)).toEqual(
    Array.from({ length: 13 }, (_, n) => n + 12),
  );
});

function line(one: AuditRecord): string {
  const [request, [subject]] = recording([one]);
  return subject === undefined ? "" : auditLine(request, subject);
}

test("every record comes back as it was, whatever a client sent; long texts are cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          resource: fc.string({ unit: "binary", maxLength: 100 }),
          userAgent: fc.option(fc.string({ unit: "binary", maxLength: 100 })),
          reason: fc.option(fc.string()),
          accessKeyId: fc.option(fc.constant("AKIAABCDEFGHIJKLMNOP")),
        }),
        { minLength: 1, maxLength: 20 },
      ),
      async (parts) => {
        const records = parts.map((part) =>
          record({ ...part, decision: part.reason === null ? "allowed" : "denied" }),
        );
        const lines = Buffer.from(records.map(line).join("\n"));
        expect(await auditRecords({ encoding: "json", lines })).toEqual(
          records.map((one) => ({ ...one, resource: one.resource.toWellFormed() })),
        );
      },
    ),
    { numRuns: 50 },
  );
  const [long] = await auditRecords({
    encoding: "json",
    lines: Buffer.from(line(record({ userAgent: "x".repeat(5000) }))),
  });
  expect(long?.userAgent).toBe("x".repeat(512));
});

test("what only reads is told from what changes", () => {
  for (const action of ["ecr:BatchGetImage", "ecr:GetAuthorizationToken", "iam:ListUsers"]) {
    expect(isRead(action)).toBe(true);
  }
  for (const action of [
    "ecr:PutImage",
    "ecr:BatchDeleteImage",
    "sts:AssumeRole",
    "ecr:TagResource",
  ]) {
    expect(isRead(action)).toBe(false);
  }
});
