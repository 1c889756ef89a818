import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type TemporaryDirectory,
  temporaryDirectory,
} from "../../tests/support/temporary-directory.ts";
import { lineWriter } from "./line-writer.ts";
import { openLog } from "./logger.ts";

let directory: TemporaryDirectory;
let path: string;
let descriptor: number;

beforeEach(() => {
  directory = temporaryDirectory();
  path = join(directory.path, "log");
  descriptor = openSync(path, "w");
});

afterEach(() => {
  closeSync(descriptor);
  directory.remove();
});

const droppedLine = (count: number) => `dropped ${count}\n`;
const written = () => readFileSync(path, "utf8");

async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("it did not happen");
    await Bun.sleep(5);
  }
}

test("lines arrive by themselves, whole and in order", async () => {
  const writer = lineWriter({ descriptor, droppedLine });
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${"x".repeat(i % 100)}\n`);
  for (const [i, line] of lines.entries()) {
    writer.write(line);
    if (i % 500 === 0) await Bun.sleep(0);
  }
  await eventually(() => written().length === lines.join("").length);
  expect(written()).toBe(lines.join(""));
});

test("flush writes what waits, also in the middle of a write", () => {
  const writer = lineWriter({ descriptor, droppedLine });
  writer.write("first\n");
  writer.flush();
  expect(written()).toBe("first\n");
  // The second is so large that its write begins at once; the third waits behind it.
  writer.write(`${"x".repeat(100_000)}\n`);
  writer.write("last\n");
  writer.flush();
  expect(written()).toStartWith("first\n");
  expect(written()).toEndWith(`${"x".repeat(100)}\nlast\n`);
});

test("beyond the limit lines are dropped, and how many is said", async () => {
  const writer = lineWriter({ descriptor, droppedLine, waitingLimit: 1000 });
  for (let i = 0; i < 100; i++) writer.write(`${"x".repeat(99)}\n`);
  writer.write("not kept\n");
  writer.flush();
  const lines = written().split("\n");
  expect(lines.filter((line) => line.startsWith("x"))).toHaveLength(11);
  expect(lines.at(-2)).toBe("dropped 90");
});

test("a reader that is gone harms nobody", () => {
  const closed = openSync(path, "r");
  const writer = lineWriter({ descriptor: closed, droppedLine });
  writer.write("nobody reads this\n");
  expect(() => writer.flush()).not.toThrow();
  closeSync(closed);
});

test("the log writes errors with their causes, and fields of a child", () => {
  const log = openLog({ level: "info", descriptor, now: () => 0 });
  const cause = Object.assign(new Error("no space"), { code: "ENOSPC" });
  log.logger
    .child({ region: "us-east-1" })
    .error({ error: new Error("upload failed", { cause }), requestId: "r1" }, "request failed");
  log.logger.debug({}, "not written");
  log.writeLine('{"message":"request"}\n');
  log.flush();
  const [first, second] = written()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(first).toMatchObject({
    level: "error",
    time: "1970-01-01T00:00:00.000Z",
    region: "us-east-1",
    requestId: "r1",
    message: "request failed",
    error: { type: "Error", message: "upload failed", cause: { code: "ENOSPC" } },
  });
  expect(second).toEqual({ message: "request" });
});
