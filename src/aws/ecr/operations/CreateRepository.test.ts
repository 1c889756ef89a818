/** The real SDK creates repositories. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../../tests/support/ecr-client.ts";
import { selectChanges } from "../../../metadata/queries/changes.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  ecr = ecrClient(endpoint);
});
afterAll(() => endpoint[Symbol.asyncDispose]());

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

test("takes the settings that are defaults, and refuses what is none", async () => {
  const create = (input: Partial<sdk.CreateRepositoryRequest>) =>
    ecr.send(new sdk.CreateRepositoryCommand({ repositoryName: "settings", ...input }));
  const refused: Partial<sdk.CreateRepositoryRequest>[] = [
    { encryptionConfiguration: { encryptionType: "KMS" } },
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

test("the log names the operation and the principal, and nothing became a 500", () => {
  expect(endpoint.logs).toContainEqual({
    endpoint: "ecr.CreateRepository",
    principal: "arn:aws:iam::111122223333:root",
    repository: "team/web",
  });
  expect(JSON.stringify(endpoint.logs)).not.toContain(endpoint.root.secretAccessKey);
  expect(endpoint.unforeseen).toEqual([]);
});
