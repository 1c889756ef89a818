/** The real SDK of AWS against the real handler, over a socket. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import * as sdk from "@aws-sdk/client-ecr";
import {
  type AwsEndpoint,
  type AwsEndpointOptions,
  startAwsEndpoint,
} from "../../../../tests/support/aws-endpoint.ts";
import { manualClock } from "../../../../tests/support/manual-clock.ts";
import { digestOf } from "../../../image/digest.ts";
import { selectChanges } from "../../../metadata/queries/changes.ts";
import { pushManifest } from "../../../registry/push-manifest.ts";
import { operations } from "./index.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;

function clientOf(
  { url, region, root }: AwsEndpoint,
  overrides: Partial<sdk.ECRClientConfig> = {},
): sdk.ECRClient {
  return new sdk.ECRClient({
    endpoint: url,
    region,
    credentials: { accessKeyId: root.id, secretAccessKey: root.secretAccessKey },
    maxAttempts: 1,
    ...overrides,
  });
}

async function restart(options?: AwsEndpointOptions) {
  await endpoint?.[Symbol.asyncDispose]();
  endpoint = await startAwsEndpoint(options);
  ecr = clientOf(endpoint);
}

/** Name and message of the error that the SDK made of the answer. */
async function refusal(answer: Promise<unknown>): Promise<{ name: string; message: string }> {
  return answer.then(
    () => ({ name: "accepted", message: "" }),
    (error: Error) => ({ name: error.name, message: error.message }),
  );
}

beforeAll(() => restart({ knownRegions: new Set(["us-east-1", "eu-west-1", "sa-east-1"]) }));
afterAll(() => endpoint[Symbol.asyncDispose]());

test("files, index and the SDK's commands name the same operations", () => {
  const files = readdirSync(import.meta.dir)
    .filter((name) => !/^(?:index|.*\.test)\.ts$/.test(name))
    .map((name) => name.replace(/\.ts$/, ""));
  expect(Object.keys(operations)).toEqual(files.sort());
  for (const name of files) expect(sdk).toHaveProperty(`${name}Command`);
});

describe("GetAuthorizationToken", () => {
  test("gives a token that opens the registry, for twelve hours", async () => {
    const { authorizationData } = await ecr.send(new sdk.GetAuthorizationTokenCommand());
    const [data] = authorizationData ?? [];
    expect(authorizationData).toHaveLength(1);
    expect(data?.proxyEndpoint).toBe(endpoint.url);
    const hours = ((data?.expiresAt?.getTime() ?? 0) - endpoint.registry.clock.now()) / 3600_000;
    expect(hours).toBeGreaterThan(11.9);
    expect(hours).toBeLessThanOrEqual(12);
    expect(await endpoint.access.authenticateBasic(`Basic ${data?.authorizationToken}`)).toEqual({
      principal: endpoint.root.principal,
    });
    // `aws ecr get-login-password` splits at colons into exactly two.
    const decoded = Buffer.from(data?.authorizationToken ?? "", "base64").toString();
    expect(decoded.split(":")).toHaveLength(2);
  });

  test("answers for each registry that is named, once", async () => {
    const registryIds = ["111122223333", "444455556666", "111122223333"];
    const { authorizationData } = await ecr.send(
      new sdk.GetAuthorizationTokenCommand({ registryIds }),
    );
    expect(authorizationData).toHaveLength(2);
    expect(
      await refusal(ecr.send(new sdk.GetAuthorizationTokenCommand({ registryIds: ["1"] }))),
    ).toEqual({
      name: "InvalidParameterException",
      message:
        "Invalid parameter at 'registryIds.1.member' failed to satisfy constraint: 'Member must satisfy regular expression pattern: [0-9]{12}'",
    });
  });

  test("names the endpoint that is configured, or the account's on a host of AWS's form", async () => {
    await using configured = await startAwsEndpoint({
      registryEndpoint: "https://{account}.dkr.ecr.us-east-1.example.com",
    });
    const { authorizationData } = await clientOf(configured).send(
      new sdk.GetAuthorizationTokenCommand(),
    );
    expect(authorizationData?.[0]?.proxyEndpoint).toBe(
      "https://111122223333.dkr.ecr.us-east-1.example.com",
    );
    const client = clientOf(endpoint);
    client.middlewareStack.add(
      (next) => (args) => {
        const { request } = args as { request: { headers: Record<string, string> } };
        request.headers.host = "api.ecr.us-east-1.example.com:8443";
        return next(args);
      },
      { step: "build", priority: "low" },
    );
    const onOtherHost = await client.send(new sdk.GetAuthorizationTokenCommand());
    expect(onOtherHost.authorizationData?.[0]?.proxyEndpoint).toBe(
      "http://111122223333.dkr.ecr.us-east-1.example.com:8443",
    );
  });
});

describe("CreateRepository", () => {
  test("creates one, with its change in the journal", async () => {
    const before = endpoint.registry.clock.now();
    const { repository } = await ecr.send(
      new sdk.CreateRepositoryCommand({ repositoryName: "team/web" }),
    );
    expect(repository).toMatchObject({
      repositoryArn: "arn:aws:ecr:us-east-1:111122223333:repository/team/web",
      registryId: "111122223333",
      repositoryName: "team/web",
      repositoryUri: `${endpoint.url.replace("http://", "")}/team/web`,
      imageTagMutability: "MUTABLE",
      imageScanningConfiguration: { scanOnPush: false },
      encryptionConfiguration: { encryptionType: "AES256" },
    });
    expect(repository?.createdAt?.getTime()).toBeGreaterThanOrEqual(before);
    const changes = await selectChanges(endpoint.registry.metadata.read, 0, 1000);
    expect(changes).toContainEqual(
      expect.objectContaining({
        kind: "repository_created",
        repository: "team/web",
        actor: "arn:aws:iam::111122223333:root",
      }),
    );
  });

  test("refuses the second of the same name", async () => {
    const command = new sdk.CreateRepositoryCommand({ repositoryName: "twice" });
    await ecr.send(command);
    await expect(ecr.send(command)).rejects.toThrow(sdk.RepositoryAlreadyExistsException);
    expect((await refusal(ecr.send(command))).message).toBe(
      "The repository with name 'twice' already exists in the registry with id '111122223333'",
    );
  });

  test("takes the settings that are defaults, and refuses those it would have to forget", async () => {
    const create = (input: Partial<sdk.CreateRepositoryRequest>) =>
      ecr.send(new sdk.CreateRepositoryCommand({ repositoryName: "settings", ...input }));
    const refused: Partial<sdk.CreateRepositoryRequest>[] = [
      { imageTagMutability: "IMMUTABLE" },
      { imageScanningConfiguration: { scanOnPush: true } },
      { encryptionConfiguration: { encryptionType: "KMS" } },
      { tags: [{ Key: "team", Value: "web" }] },
      { repositoryName: "x" },
      { repositoryName: "UPPER" },
      { repositoryName: "a//b" },
      { repositoryName: "a".repeat(257) },
      { registryId: "12" },
    ];
    for (const input of refused) {
      expect({ input, ...(await refusal(create(input))) }).toMatchObject({
        input,
        name: "InvalidParameterException",
      });
    }
    await create({
      imageTagMutability: "MUTABLE",
      imageScanningConfiguration: { scanOnPush: false },
      encryptionConfiguration: { encryptionType: "AES256" },
      tags: [],
    });
  });

  test("is denied in another account's registry", async () => {
    const registryId = "444455556666";
    expect(
      await refusal(
        ecr.send(new sdk.CreateRepositoryCommand({ registryId, repositoryName: "theirs" })),
      ),
    ).toEqual({
      name: "AccessDeniedException",
      message:
        "User: arn:aws:iam::111122223333:root is not authorized to perform: ecr:CreateRepository on resource: arn:aws:ecr:us-east-1:444455556666:repository/theirs because no resource-based policy allows the ecr:CreateRepository action",
    });
  });
});

describe("PutReplicationConfiguration and DescribeRegistry", () => {
  const configuration: sdk.ReplicationConfiguration = {
    rules: [
      {
        destinations: [
          { region: "eu-west-1", registryId: "111122223333" },
          { region: "sa-east-1", registryId: "111122223333" },
        ],
        repositoryFilters: [{ filter: "prod-", filterType: "PREFIX_MATCH" }],
      },
      { destinations: [{ region: "us-east-1", registryId: "444455556666" }] },
    ],
  };
  const put = (replicationConfiguration: sdk.ReplicationConfiguration) =>
    ecr.send(new sdk.PutReplicationConfigurationCommand({ replicationConfiguration }));

  test("what is put is read back; it replaces all that was there", async () => {
    const empty = await ecr.send(new sdk.DescribeRegistryCommand());
    expect(empty).toMatchObject({
      registryId: "111122223333",
      replicationConfiguration: { rules: [] },
    });
    expect((await put(configuration)).replicationConfiguration).toEqual(configuration);
    const read = await ecr.send(new sdk.DescribeRegistryCommand());
    expect(read.replicationConfiguration).toEqual(configuration);
    await put({ rules: [] });
    const cleared = await ecr.send(new sdk.DescribeRegistryCommand());
    expect(cleared.replicationConfiguration).toEqual({ rules: [] });
  });

  test("what ECR refuses is refused in its words", async () => {
    const invalid = (at: string, constraint: string) => ({
      name: "InvalidParameterException",
      message: `Invalid parameter at '${at}' failed to satisfy constraint: '${constraint}'`,
    });
    const destination = { region: "eu-west-1", registryId: "111122223333" };
    expect(
      await refusal(
        put({
          rules: [{ destinations: [{ region: "us-east-1", registryId: "111122223333" }] }],
        }),
      ),
    ).toEqual(
      invalid(
        "replicationConfiguration",
        "Replication destination cannot be the same as the source registry",
      ),
    );
    expect(await refusal(put({ rules: Array(11).fill({ destinations: [destination] }) }))).toEqual(
      invalid("replicationConfiguration.rules", "Member must have length less than or equal to 10"),
    );
    expect(
      await refusal(
        put({ rules: [{ destinations: [{ ...destination, region: "mars-north-1" }] }] }),
      ),
    ).toEqual(
      invalid(
        "replicationConfiguration",
        "Replication destination region 'mars-north-1' is not known here",
      ),
    );
    expect(
      await refusal(
        put({
          rules: [
            {
              destinations: [destination],
              repositoryFilters: [{ filter: "Prod", filterType: "PREFIX_MATCH" }],
            },
          ],
        }),
      ),
    ).toMatchObject({
      name: "InvalidParameterException",
      message: expect.stringContaining(
        "'replicationConfiguration.rules.1.member.repositoryFilters.1.member.filter'",
      ),
    });
    expect(await refusal(put({} as sdk.ReplicationConfiguration))).toEqual(
      invalid("replicationConfiguration.rules", "Member must not be null"),
    );
  });
});

describe("DescribeImageReplicationStatus", () => {
  const bytes = new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [],
    }),
  );
  const digest = digestOf(bytes);
  const status = (input: Partial<sdk.DescribeImageReplicationStatusRequest>) =>
    ecr.send(
      new sdk.DescribeImageReplicationStatusCommand({
        repositoryName: "replicated",
        imageId: { imageDigest: digest },
        ...input,
      }),
    );

  beforeAll(async () => {
    const { registry, account } = endpoint;
    await pushManifest(registry, {
      account,
      repository: "replicated",
      tags: ["v1"],
      contentType: "application/vnd.oci.image.index.v1+json",
      bytes,
      actor: "arn:aws:iam::111122223333:root",
    });
  });

  async function replicate(rows: { tag: string; region: string; state: string; code?: string }[]) {
    const { metadata } = endpoint.registry;
    await metadata.transaction(async (tx) => {
      const [repository] = await tx.all<{ id: number }>(
        "select id from repositories where name = 'replicated'",
      );
      const columns = await tx.all<{ name: string }>(
        "select name from pragma_table_info('replications')",
      );
      await tx.all("delete from replications");
      for (const [i, row] of rows.entries()) {
        const values: Record<string, string | number> = {
          id: `replication-${i}`,
          repository_id: repository?.id ?? 0,
          account: endpoint.account,
          repository: "replicated",
          digest,
          tag: row.tag,
          destination_region: row.region,
          destination_account: endpoint.account,
          state: row.state,
          failure_code: row.code ?? "",
        };
        const names = columns.map((column) => column.name);
        await tx.all(
          `insert into replications (${names.join(", ")})
           values (${names.map((_, n) => `$${n + 1}`).join(", ")})`,
          names.map((name) => values[name] ?? 0),
        );
      }
    });
  }

  test("an image that no rule takes has no statuses", async () => {
    await replicate([]);
    expect(await status({ imageId: { imageTag: "v1" } })).toMatchObject({
      repositoryName: "replicated",
      imageId: { imageTag: "v1", imageDigest: digest },
      replicationStatuses: [],
    });
  });

  test("every destination has a state; the failure code is of failed ones only", async () => {
    await replicate([
      { tag: "v1", region: "eu-west-1", state: "complete" },
      { tag: "v1", region: "sa-east-1", state: "failed", code: "RepositoryPolicyDenied" },
      { tag: "v1", region: "us-west-2", state: "pending", code: "Unreachable" },
    ]);
    const { replicationStatuses } = await status({ imageId: { imageTag: "v1" } });
    const registryId = "111122223333";
    expect(replicationStatuses).toEqual([
      { region: "eu-west-1", registryId, status: "COMPLETE" },
      {
        region: "sa-east-1",
        registryId,
        status: "FAILED",
        failureCode: "RepositoryPolicyDenied",
      },
      { region: "us-west-2", registryId, status: "IN_PROGRESS" },
    ]);
  });

  test("by digest, the worst of its tags counts", async () => {
    await replicate([
      { tag: "", region: "eu-west-1", state: "complete" },
      { tag: "v1", region: "eu-west-1", state: "pending" },
      { tag: "v2", region: "eu-west-1", state: "complete" },
    ]);
    const states = async (imageId: sdk.ImageIdentifier) =>
      (await status({ imageId })).replicationStatuses?.map((one) => one.status);
    expect(await states({ imageDigest: digest })).toEqual(["IN_PROGRESS"]);
    expect(await states({ imageDigest: digest, imageTag: "v1" })).toEqual(["IN_PROGRESS"]);
    await replicate([
      { tag: "v1", region: "eu-west-1", state: "failed", code: "x" },
      { tag: "v2", region: "eu-west-1", state: "pending" },
    ]);
    expect(await states({ imageDigest: digest })).toEqual(["FAILED"]);
  });

  test("what is not there is told in ECR's words", async () => {
    const other = `sha256:${"0".repeat(64)}`;
    const missing = (imageId: string) => ({
      name: "ImageNotFoundException",
      message: `The image with imageId ${imageId} does not exist within the repository with name 'replicated' in the registry with id '111122223333'`,
    });
    expect(await refusal(status({ imageId: { imageTag: "v9" } }))).toEqual(
      missing("{imageDigest:'null', imageTag:'v9'}"),
    );
    expect(await refusal(status({ imageId: { imageDigest: other } }))).toEqual(
      missing(`{imageDigest:'${other}', imageTag:'null'}`),
    );
    expect(await refusal(status({ imageId: { imageDigest: other, imageTag: "v1" } }))).toEqual(
      missing("{imageDigest:'null', imageTag:'v1'}"),
    );
    expect(await refusal(status({ repositoryName: "missing" }))).toEqual({
      name: "RepositoryNotFoundException",
      message:
        "The repository with name 'missing' does not exist in the registry with id '111122223333'",
    });
    expect(await refusal(status({ imageId: {} }))).toEqual({
      name: "InvalidParameterException",
      message:
        "Invalid parameter at 'imageId' failed to satisfy constraint: 'An imageDigest or an imageTag is required'",
    });
    expect((await refusal(status({ imageId: { imageDigest: "sha256:12" } }))).name).toBe(
      "InvalidParameterException",
    );
  });
});

describe("who may not", () => {
  const token = (overrides: Partial<sdk.ECRClientConfig>) =>
    refusal(clientOf(endpoint, overrides).send(new sdk.GetAuthorizationTokenCommand()));

  test("a wrong secret, an unknown key, a session that does not exist", async () => {
    const { id: accessKeyId, secretAccessKey } = endpoint.root;
    expect(
      await token({ credentials: { accessKeyId, secretAccessKey: `${secretAccessKey}x` } }),
    ).toEqual({
      name: "InvalidSignatureException",
      message:
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    });
    const unrecognized = {
      name: "UnrecognizedClientException",
      message: "The security token included in the request is invalid.",
    };
    expect(
      await token({ credentials: { accessKeyId: "AKIAUNKNOWNUNKNOWN11", secretAccessKey } }),
    ).toEqual(unrecognized);
    expect(
      await token({ credentials: { accessKeyId, secretAccessKey, sessionToken: "session" } }),
    ).toEqual(unrecognized);
  });

  test("another region", async () => {
    expect(await token({ region: "eu-west-1" })).toEqual({
      name: "InvalidSignatureException",
      message: "Credential should be scoped to a valid region, not 'eu-west-1'.",
    });
  });

  test("a clock that is too far off; the SDK then learns from the answer's date", async () => {
    const command = new sdk.GetAuthorizationTokenCommand();
    const texts: [number, RegExp][] = [
      [-10, /^Signature expired: (\S+) is now earlier than (\S+) \((\S+) - 5 min\.\)$/],
      [10, /^Signature not yet current: (\S+) is still later than (\S+) \((\S+) \+ 5 min\.\)$/],
    ];
    for (const [minutes, text] of texts) {
      const client = clientOf(endpoint, { systemClockOffset: minutes * 60_000 });
      const refused = await refusal(client.send(command));
      expect(refused.name).toBe("InvalidSignatureException");
      expect(refused.message).toMatch(text);
      expect(refused.message.match(/\b\d{8}T\d{6}Z\b/g)).toHaveLength(3);
      expect(await refusal(client.send(command))).toMatchObject({ name: "accepted" });
    }
    for (const minutes of [-4, 4]) {
      const client = clientOf(endpoint, { systemClockOffset: minutes * 60_000 });
      expect(await refusal(client.send(command))).toMatchObject({ name: "accepted" });
    }
  });

  test("an operation that is not there", async () => {
    expect(await refusal(ecr.send(new sdk.DescribePullThroughCacheRulesCommand()))).toMatchObject({
      name: "UnknownOperationException",
    });
  });
});

test("the token that the SDK got expires with the server's clock", async () => {
  const clock = manualClock(Date.now());
  await using other = await startAwsEndpoint({ clock });
  const { authorizationData } = await clientOf(other).send(new sdk.GetAuthorizationTokenCommand());
  const header = `Basic ${authorizationData?.[0]?.authorizationToken}`;
  clock.advance(12 * 3600_000);
  expect(await other.access.authenticateBasic(header)).toEqual({ failure: "expired" });
});

test("the log names the operation and the principal, and nothing became a 500", () => {
  expect(endpoint.logs).toContainEqual({
    endpoint: "ecr.CreateRepository",
    principal: "arn:aws:iam::111122223333:root",
    repository: "team/web",
  });
  expect(JSON.stringify(endpoint.logs)).not.toContain(endpoint.root.secretAccessKey);
  expect(endpoint.unforeseen).toEqual([]);
});
