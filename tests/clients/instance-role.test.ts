/**
 * A machine with a role: the AWS CLI finds credentials at `portolan metadata` by itself, as an instance
 * and as a container, and skopeo pulls with what it got.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  AttachRolePolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { type ClientHome, clientHome } from "../support/client-home.ts";
import { attemptCommand, runCommand } from "../support/command.ts";
import { freePort } from "../support/free-port.ts";
import { requirement } from "../support/require.ts";
import { portolanCommand, type ServerProcess, startServer } from "../support/server-process.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(120_000);

const available = [
  requirement("clients", Bun.which("skopeo") !== null, "skopeo (apt-get install skopeo)"),
  requirement("clients", Bun.which("aws") !== null, "aws (apt-get install awscli)"),
].every(Boolean);

describe.skipIf(!available)("a role of a machine", () => {
  let server: ServerProcess;
  let home: ClientHome;
  let userKey: { readonly id: string; readonly secret: string };
  const children: Bun.Subprocess[] = [];

  beforeAll(async () => {
    server = await startServer();
    home = clientHome();
    const { accessKeyId, secretAccessKey } = server.credentials;
    const iam = new IAMClient({
      endpoint: server.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId, secretAccessKey },
    });
    const statement = (principal: object) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: principal, Action: "sts:AssumeRole" }],
      });
    await iam.send(
      new CreateRoleCommand({
        RoleName: "puller",
        AssumeRolePolicyDocument: statement({ AWS: `arn:aws:iam::${server.account}:root` }),
      }),
    );
    await iam.send(
      new AttachRolePolicyCommand({
        RoleName: "puller",
        PolicyArn: "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
      }),
    );
    await iam.send(new CreateUserCommand({ UserName: "machine" }));
    await iam.send(
      new PutUserPolicyCommand({
        UserName: "machine",
        PolicyName: "assume",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }],
        }),
      }),
    );
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "machine" }));
    userKey = { id: AccessKey?.AccessKeyId ?? "", secret: AccessKey?.SecretAccessKey ?? "" };
    iam.destroy();
  });
  afterAll(async () => {
    for (const child of children) child.kill();
    await Promise.all(children.map(({ exited }) => exited));
    await home?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  /** @returns its address and what it says */
  async function serveMetadata(
    parameters: readonly string[],
    environment: Record<string, string> = {},
  ): Promise<{ url: string; token: string }> {
    const port = freePort();
    const child = Bun.spawn(
      [...portolanCommand(), "metadata", "--serve-on", `127.0.0.1:${port}`, ...parameters],
      { env: { PATH: process.env.PATH ?? "", ...environment }, stdout: "pipe", stderr: "inherit" },
    );
    children.push(child);
    let said = "";
    (async () => {
      for await (const chunk of child.stdout) said += new TextDecoder().decode(chunk);
    })();
    const token = await waitUntil(
      "the metadata service",
      () => /AUTHORIZATION_TOKEN=(\S+)/.exec(said)?.[1],
    );
    return { url: `http://127.0.0.1:${port}`, token };
  }

  async function aws(environment: Record<string, string>, ...parameters: string[]) {
    return runCommand(["aws", ...parameters, "--endpoint-url", server.endpoint], {
      environment: {
        ...home.environment,
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
        AWS_CONFIG_FILE: "/nonexistent",
        AWS_EC2_METADATA_DISABLED: undefined,
        AWS_DEFAULT_REGION: server.region,
        AWS_PAGER: "",
        ...(process.env.PYENV_ROOT !== undefined && { PYENV_ROOT: process.env.PYENV_ROOT }),
        ...environment,
      },
    });
  }

  async function expectPuller(environment: Record<string, string>): Promise<void> {
    const identity = JSON.parse(await aws(environment, "sts", "get-caller-identity"));
    expect(identity.Arn).toStartWith(`arn:aws:sts::${server.account}:assumed-role/puller/`);
    const password = (await aws(environment, "ecr", "get-login-password")).trim();
    const credentials = `AWS:${password}`;
    const repositories = await attemptCommand(
      [
        ...["skopeo", "list-tags", "--tls-verify=false", "--creds", credentials],
        `docker://${server.host}/none`,
      ],
      { environment: home.environment },
    );
    // It may look, and finds nothing: not refused.
    expect(repositories.stderr).toMatch(/does not exist|404/);
    const refused = await fetch(`${server.endpoint}/v2/none/blobs/uploads/`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(credentials)}` },
    });
    expect(refused.status).toBe(403);
  }

  test("from the stores of a region, to instances and to containers", async () => {
    const { url, token } = await serveMetadata([
      "--role",
      "puller",
      "--region",
      server.region,
      "--data",
      server.dataDirectory,
    ]);
    await expectPuller({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url });
    await expectPuller({
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
    });
  });

  test("over STS, with a key that may assume the role", async () => {
    const { url } = await serveMetadata(["--role", "puller", "--sts", server.endpoint], {
      AWS_ACCESS_KEY_ID: userKey.id,
      AWS_SECRET_ACCESS_KEY: userKey.secret,
    });
    await expectPuller({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url });
  });

  test("a role that is not there is said at once", async () => {
    const result = await attemptCommand([
      ...portolanCommand(),
      ...["metadata", "--role", "none", "--data", server.dataDirectory],
    ]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("has no role none");
  });
});
