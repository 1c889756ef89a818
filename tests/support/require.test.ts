/** A suite whose requirement is missing says so in one line, or fails where it is demanded. */
import { expect, test } from "bun:test";
import { join } from "node:path";

async function runSuite(required: string) {
  const { PORTOLAN_TEST_POSTGRES_URL: _, ...environment } = process.env;
  const child = Bun.spawn([process.execPath, "test", "./tests/contract/schema.test.ts"], {
    cwd: join(import.meta.dir, "../.."),
    env: { ...environment, PORTOLAN_REQUIRE: required },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode: await child.exited, text: out + err };
}

const hint = "PostgreSQL (set PORTOLAN_TEST_POSTGRES_URL or run npm run test:postgres)";

test("a missing requirement is skipped with one line", async () => {
  const { exitCode, text } = await runSuite("clients,go");
  expect(exitCode).toBe(0);
  expect(text.split("\n").filter((line) => line.startsWith("skipped: "))).toEqual([
    `skipped: ${hint}`,
  ]);
});

test("a missing requirement that is named fails, and the rest of the file still runs", async () => {
  const { exitCode, text } = await runSuite("clients, postgres");
  expect(exitCode).not.toBe(0);
  expect(text).toContain(`required but missing: ${hint}`);
  expect(text).toMatch(/\b2 pass\b/);
});
