/** The unmodified AWS CLI, Debian's if it is there, against the AWS endpoint. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { digestOf } from "../../src/image/digest.ts";
import { pushManifest } from "../../src/registry/push-manifest.ts";
import { type AwsEndpoint, startAwsEndpoint } from "../support/aws-endpoint.ts";
import { requirement } from "../support/require.ts";

// Every call starts a Python of its own.
setDefaultTimeout(120_000);

const debian = "/usr/bin/aws";
const program = existsSync(debian) ? debian : Bun.which("aws");

const available = requirement("clients", program !== null, "aws (apt-get install awscli)");

interface Result {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

let endpoint: AwsEndpoint;

async function run(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const child = Bun.spawn(
    [program ?? debian, "ecr", ...parameters, "--endpoint-url", endpoint.url, "--output", "json"],
    {
      env: {
        PATH: process.env.PATH ?? "/usr/bin:/bin",
        HOME: "/nonexistent",
        // A version manager's shim finds its versions by this.
        ...(process.env.PYENV_ROOT !== undefined && { PYENV_ROOT: process.env.PYENV_ROOT }),
        AWS_ACCESS_KEY_ID: endpoint.root.id,
        AWS_SECRET_ACCESS_KEY: endpoint.root.secretAccessKey,
        AWS_DEFAULT_REGION: endpoint.region,
        AWS_CONFIG_FILE: "/nonexistent",
        AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_MAX_ATTEMPTS: "1",
        AWS_PAGER: "",
        ...environment,
      },
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [exitCode, stdout, stderr] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode, stdout, stderr };
}

describe.skipIf(!available)(`${program}`, () => {
  const aws = (...parameters: string[]) => run(parameters);

  async function json(...parameters: string[]): Promise<unknown> {
    const { exitCode, stdout, stderr } = await aws(...parameters);
    expect({ parameters, exitCode, stderr }).toEqual({ parameters, exitCode: 0, stderr: "" });
    return JSON.parse(stdout);
  }

  async function fails(type: string, operation: string, ...parameters: string[]): Promise<string> {
    const { exitCode, stderr } = await aws(...parameters);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(`An error occurred (${type}) when calling the ${operation} operation`);
    return stderr;
  }

  beforeAll(async () => {
    endpoint = await startAwsEndpoint();
  });
  afterAll(() => endpoint[Symbol.asyncDispose]());

  test("get-authorization-token and get-login-password give what opens the registry", async () => {
    const [answer, login] = await Promise.all([
      json("get-authorization-token") as Promise<{
        authorizationData: { authorizationToken: string; proxyEndpoint: string }[];
      }>,
      aws("get-login-password"),
    ]);
    const [data] = answer.authorizationData;
    expect(data?.proxyEndpoint).toBe(endpoint.url);
    const user = { principal: endpoint.root.principal };
    expect(await endpoint.access.authenticateBasic(`Basic ${data?.authorizationToken}`)).toEqual(
      user,
    );
    expect(login).toMatchObject({ exitCode: 0, stderr: "" });
    const basic = Buffer.from(`AWS:${login.stdout.trim()}`).toString("base64");
    expect(await endpoint.access.authenticateBasic(`Basic ${basic}`)).toEqual(user);
  });

  test("create-repository", async () => {
    const create = ["create-repository", "--repository-name", "team/web"];
    expect(await json(...create)).toMatchObject({
      repository: {
        repositoryArn: "arn:aws:ecr:us-east-1:111122223333:repository/team/web",
        repositoryUri: `${endpoint.url.replace("http://", "")}/team/web`,
        createdAt: expect.anything(),
      },
    });
    expect(
      await fails("RepositoryAlreadyExistsException", "CreateRepository", ...create),
    ).toContain(
      "The repository with name 'team/web' already exists in the registry with id '111122223333'",
    );
  });

  test("put-replication-configuration and describe-registry", async () => {
    const replicationConfiguration = {
      rules: [
        {
          destinations: [
            { region: "eu-west-1", registryId: "111122223333" },
            { region: "sa-east-1", registryId: "111122223333" },
          ],
          repositoryFilters: [{ filter: "prod-", filterType: "PREFIX_MATCH" }],
        },
      ],
    };
    const put = (configuration: object) => [
      "put-replication-configuration",
      "--replication-configuration",
      JSON.stringify(configuration),
    ];
    expect(await json(...put(replicationConfiguration))).toEqual({ replicationConfiguration });
    expect(await json("describe-registry")).toEqual({
      registryId: "111122223333",
      replicationConfiguration,
    });
    const self = [{ destinations: [{ region: "us-east-1", registryId: "111122223333" }] }];
    const refused = await fails(
      "InvalidParameterException",
      "PutReplicationConfiguration",
      ...put({ rules: self }),
    );
    expect(refused).toContain(
      "Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: 'Replication destination cannot be the same as the source registry'",
    );
  });

  test("describe-image-replication-status", async () => {
    const contentType = "application/vnd.oci.image.index.v1+json";
    const bytes = new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, mediaType: contentType, manifests: [] }),
    );
    await pushManifest(endpoint.registry, {
      account: endpoint.account,
      repository: "pushed",
      tags: ["v1"],
      contentType,
      bytes,
      actor: endpoint.root.principal.arn,
    });
    const describe = (imageId: string) => [
      "describe-image-replication-status",
      "--repository-name",
      "pushed",
      "--image-id",
      imageId,
    ];
    const [answer] = await Promise.all([
      json(...describe("imageTag=v1")),
      fails("ImageNotFoundException", "DescribeImageReplicationStatus", ...describe("imageTag=v2")),
    ]);
    expect(answer).toEqual({
      repositoryName: "pushed",
      imageId: { imageDigest: digestOf(bytes), imageTag: "v1" },
      replicationStatuses: [],
    });
  });

  test("wrong credentials and regions are told as AWS tells them", async () => {
    const describeRegistry = (environment: Record<string, string>) =>
      run(["describe-registry"], environment);
    const [secret, region] = await Promise.all([
      describeRegistry({ AWS_SECRET_ACCESS_KEY: "wrong" }),
      describeRegistry({ AWS_DEFAULT_REGION: "eu-west-1" }),
    ]);
    const told = /occurred \((\w+)\) when calling the \w+ operation(?: \([^)]*\))?: (.*)/;
    const said = ({ stderr }: Result) => told.exec(stderr)?.slice(1);
    expect(said(secret)).toEqual([
      "InvalidSignatureException",
      expect.stringContaining("The request signature we calculated does not match"),
    ]);
    expect(said(region)).toEqual([
      "InvalidSignatureException",
      "Credential should be scoped to a valid region, not 'eu-west-1'.",
    ]);
    for (const { exitCode } of [secret, region]) expect(exitCode).not.toBe(0);
  });
});
