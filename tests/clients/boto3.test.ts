/** boto3, the AWS SDK of Python, as it is: a program of its own against a real server. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { attemptCommand, runCommand } from "../support/command.ts";
import { requirement } from "../support/require.ts";
import { startServer } from "../support/server-process.ts";

setDefaultTimeout(120_000);

const python = process.env.PORTOLAN_TEST_PYTHON ?? Bun.which("python3");
const hasBoto3 =
  python !== null && (await attemptCommand([python, "-c", "import boto3"])).exitCode === 0;
const available = requirement(
  "boto3",
  hasBoto3,
  "boto3 (pip install boto3, for python3 or for PORTOLAN_TEST_PYTHON)",
);

describe.skipIf(!available)("boto3", () => {
  test("repositories, images, policies, waiters, pages, a role", async () => {
    await using server = await startServer();
    const { accessKeyId, secretAccessKey } = server.credentials;
    const output = await runCommand([python ?? "", join(import.meta.dir, "boto3_session.py")], {
      environment: {
        PORTOLAN_ENDPOINT: server.endpoint,
        PORTOLAN_ACCOUNT: server.account,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_CONFIG_FILE: "/nonexistent",
        AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
      },
    });
    expect(output).toContain("everything was done");
  });
});
