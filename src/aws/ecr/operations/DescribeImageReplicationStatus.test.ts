/** The real SDK asks how far the replication of an image is. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../../tests/support/ecr-client.ts";
import { digestOf } from "../../../image/digest.ts";
import { pushManifest } from "../../../registry/push-manifest.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  ecr = ecrClient(endpoint);
});
afterAll(() => endpoint[Symbol.asyncDispose]());

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
    missing(`{imageDigest:'${other}', imageTag:'null'}`),
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
