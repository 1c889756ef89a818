/** Several accounts, made beside a running server, and what one lets the other do. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as v from "valibot";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { pushBlob, testBlob } from "./blob-transfers.ts";
import { runPortolan, type ServerProcess, startServer } from "./portolan-process.ts";

const directory = temporaryDirectory();
const data = ["--data", directory.path];
const account = "444455556666";
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(data);
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  directory.remove();
});

const createdSchema = v.object({
  account: v.string(),
  accessKeyId: v.string(),
  secretAccessKey: v.string(),
});

test("an account is made once, is known at once, and has a registry of its own", async () => {
  const made = await runPortolan(["account", "create", account, "--json", ...data]);
  expect(made.stderr).toBe("");
  const created = v.parse(createdSchema, JSON.parse(made.stdout));
  expect(created.account).toBe(account);
  const text = `${created.accessKeyId}:${created.secretAccessKey}`;
  const authorization = `Basic ${Buffer.from(text).toString("base64")}`;
  const repositories = async () => {
    const answer = await fetch(`${server.url}/v2/_catalog`, { headers: { authorization } });
    return { status: answer.status, body: await answer.json() };
  };
  expect(await pushBlob(server, "of-the-first-account", testBlob(100, "first"))).toBe(201);
  expect(await repositories()).toEqual({ status: 200, body: { repositories: [] } });

  const again = await runPortolan(["account", "create", account, "--json", ...data]);
  expect(again.exitCode).toBe(1);
  expect(again.stdout).toBe("");
  expect(again.stderr).toBe(
    `the account ${account} is there already, with the key ${created.accessKeyId}\n`,
  );
}, 60_000);

test("an id without twelve digits is refused", async () => {
  const refused = await runPortolan(["account", "create", "44445555", ...data]);
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain("an account id has twelve digits");
}, 60_000);
