/** The real SDK describes, sets, tags and deletes repositories. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../../tests/support/ecr-client.ts";
import { pushImage } from "../../../../tests/support/push-image.ts";
import { selectChanges } from "../../../metadata/queries/changes.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;
const arn = (name: string) => `arn:aws:ecr:us-east-1:111122223333:repository/${name}`;
const create = (repositoryName: string, input: Partial<sdk.CreateRepositoryRequest> = {}) =>
  ecr.send(new sdk.CreateRepositoryCommand({ repositoryName, ...input }));

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  ecr = ecrClient(endpoint);
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

describe("DescribeRepositories", () => {
  test("pages through all of a registry, in order, with a token that fits this question alone", async () => {
    await using own = await startAwsEndpoint();
    const client = ecrClient(own);
    const names = ["a1", "b/1", "b/2", "c1", "d1"];
    for (const repositoryName of [...names].reverse()) {
      await client.send(new sdk.CreateRepositoryCommand({ repositoryName }));
    }
    const seen: (string | undefined)[][] = [];
    for await (const page of sdk.paginateDescribeRepositories({ client, pageSize: 2 }, {})) {
      seen.push((page.repositories ?? []).map(({ repositoryName }) => repositoryName));
    }
    expect(seen).toEqual([["a1", "b/1"], ["b/2", "c1"], ["d1"]]);
    const { nextToken } = await client.send(new sdk.DescribeRepositoriesCommand({ maxResults: 1 }));
    for (const input of [
      { nextToken: `${nextToken}x` },
      { nextToken: "WyJ4Il0" },
      { nextToken: "é" },
      { maxResults: 0 },
      { maxResults: 1001 },
      { repositoryNames: [] },
      { repositoryNames: ["a1"], maxResults: 1 },
    ]) {
      expect({
        input,
        ...(await refusal(client.send(new sdk.DescribeRepositoriesCommand(input)))),
      }).toMatchObject({ input, name: "InvalidParameterException" });
    }
  });

  test("finds those that are named, with all they were made with", async () => {
    const settings: Partial<sdk.CreateRepositoryRequest> = {
      imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
      imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
      imageScanningConfiguration: { scanOnPush: true },
      encryptionConfiguration: { encryptionType: "AES256" },
    };
    const { repository } = await create("named/one", settings);
    expect(repository).toMatchObject(settings);
    const repositoryNames = ["named/one"];
    const answer = await ecr.send(new sdk.DescribeRepositoriesCommand({ repositoryNames }));
    expect(answer.repositories).toEqual(repository === undefined ? [] : [repository]);
    expect(
      await refusal(
        ecr.send(new sdk.DescribeRepositoriesCommand({ repositoryNames: ["named/one", "none"] })),
      ),
    ).toEqual({
      name: "RepositoryNotFoundException",
      message:
        "The repository with name 'none' does not exist in the registry with id '111122223333'",
    });
  });
});

describe("CreateRepository", () => {
  test("refuses filters without exclusions, exclusions without filters, and KMS", async () => {
    const filters = [{ filterType: "WILDCARD", filter: "x" }] as const;
    const refused: Partial<sdk.CreateRepositoryRequest>[] = [
      { imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" },
      { imageTagMutability: "IMMUTABLE", imageTagMutabilityExclusionFilters: [...filters] },
      { imageTagMutabilityExclusionFilters: [...filters] },
      {
        imageTagMutability: "MUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "a b" }],
      },
      {
        imageTagMutability: "MUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: Array(6).fill(filters[0]),
      },
      { encryptionConfiguration: { encryptionType: "KMS" } },
    ];
    for (const input of refused) {
      expect({ input, ...(await refusal(create("refused", input))) }).toMatchObject({
        input,
        name: "InvalidParameterException",
      });
    }
    await create("refused");
  });
});

describe("resource tags", () => {
  const list = async (name: string) =>
    (await ecr.send(new sdk.ListTagsForResourceCommand({ resourceArn: arn(name) }))).tags;

  test("are set, replaced, listed and taken away", async () => {
    await create("tagged", { tags: [{ Key: "team", Value: "web" }] });
    const tag = new sdk.TagResourceCommand({
      resourceArn: arn("tagged"),
      tags: [
        { Key: "team", Value: "api" },
        { Key: "cost", Value: "7" },
      ],
    });
    await ecr.send(tag);
    expect(await list("tagged")).toEqual([
      { Key: "team", Value: "api" },
      { Key: "cost", Value: "7" },
    ]);
    await ecr.send(
      new sdk.UntagResourceCommand({ resourceArn: arn("tagged"), tagKeys: ["team", "none"] }),
    );
    expect(await list("tagged")).toEqual([{ Key: "cost", Value: "7" }]);
  });

  test("have limits, and ARNs that are checked", async () => {
    await create("limits");
    const tag = (tags: sdk.Tag[], resourceArn = arn("limits")) =>
      refusal(ecr.send(new sdk.TagResourceCommand({ resourceArn, tags })));
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ Key: `k${i}`, Value: "" }));
    expect((await tag(many(51))).name).toBe("TooManyTagsException");
    expect((await tag([{ Key: "aws:x", Value: "" }])).name).toBe("InvalidTagParameterException");
    expect((await tag([{ Key: "", Value: "" }])).name).toBe("InvalidTagParameterException");
    expect((await tag([{ Key: "k", Value: "v".repeat(257) }])).name).toBe(
      "InvalidTagParameterException",
    );
    expect((await tag([...many(1), ...many(1)])).name).toBe("InvalidTagParameterException");
    expect((await tag(many(1), "arn:aws:s3:::x")).name).toBe("InvalidParameterException");
    expect((await tag(many(1), arn("limits").replace("us-east-1", "eu-west-1"))).name).toBe(
      "InvalidParameterException",
    );
    expect((await tag(many(1), arn("none"))).name).toBe("RepositoryNotFoundException");
    expect((await tag(many(50))).name).toBe("accepted");
    expect((await tag([{ Key: "one-more", Value: "" }])).name).toBe("TooManyTagsException");
    expect(await list("limits")).toHaveLength(50);
  });
});

describe("tag mutability", () => {
  const push = (repository: string, tag: string, seed: string) =>
    pushImage(endpoint.registry, {
      repository,
      tags: [tag],
      layers: [new TextEncoder().encode(seed)],
    });

  test("holds tags where they are, but for what the filters exclude", async () => {
    await create("frozen");
    await push("frozen", "1", "one");
    await push("frozen", "dev-1", "one");
    const put = new sdk.PutImageTagMutabilityCommand({
      repositoryName: "frozen",
      imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
      imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
    });
    expect(await ecr.send(put)).toMatchObject({
      registryId: "111122223333",
      repositoryName: "frozen",
      imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
    });
    expect((await refusal(push("frozen", "1", "two"))).message).toContain("tag_immutable");
    await push("frozen", "dev-1", "two");
    await push("frozen", "1", "one");
    await push("frozen", "2", "two");
    await ecr.send(
      new sdk.PutImageTagMutabilityCommand({
        repositoryName: "frozen",
        imageTagMutability: "MUTABLE",
      }),
    );
    await push("frozen", "1", "two");
  });

  test("refuses what is not there or not a setting", async () => {
    const put = (input: Partial<sdk.PutImageTagMutabilityRequest>) =>
      refusal(
        ecr.send(
          new sdk.PutImageTagMutabilityCommand({
            repositoryName: "none",
            imageTagMutability: "IMMUTABLE",
            ...input,
          }),
        ),
      );
    expect((await put({})).name).toBe("RepositoryNotFoundException");
    expect((await put({ imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" })).name).toBe(
      "InvalidParameterException",
    );
  });
});

test("PutImageScanningConfiguration is kept", async () => {
  await create("scanned");
  await ecr.send(
    new sdk.PutImageScanningConfigurationCommand({
      repositoryName: "scanned",
      imageScanningConfiguration: { scanOnPush: true },
    }),
  );
  const { repositories } = await ecr.send(
    new sdk.DescribeRepositoriesCommand({ repositoryNames: ["scanned"] }),
  );
  expect(repositories?.[0]?.imageScanningConfiguration).toEqual({ scanOnPush: true });
});

describe("DeleteRepository", () => {
  const remove = (repositoryName: string, force?: boolean) =>
    ecr.send(new sdk.DeleteRepositoryCommand({ repositoryName, ...(force && { force }) }));

  test("needs force for one with images, and forgets all that belonged to it", async () => {
    await create("full", {
      imageTagMutability: "IMMUTABLE",
      tags: [{ Key: "team", Value: "web" }],
    });
    await pushImage(endpoint.registry, { repository: "full", tags: ["1"], layers: [] });
    expect(await refusal(remove("full"))).toEqual({
      name: "RepositoryNotEmptyException",
      message:
        "The repository with name 'full' in registry with id '111122223333' cannot be deleted because it still contains images",
    });
    const { repository } = await remove("full", true);
    expect(repository).toMatchObject({ repositoryName: "full", imageTagMutability: "IMMUTABLE" });
    expect((await refusal(remove("full"))).name).toBe("RepositoryNotFoundException");
    const again = await create("full");
    expect(again.repository?.imageTagMutability).toBe("MUTABLE");
    const { tags } = await ecr.send(
      new sdk.ListTagsForResourceCommand({ resourceArn: arn("full") }),
    );
    expect(tags).toEqual([]);
    await remove("full");
    const changes = await selectChanges(endpoint.registry.metadata.read, 0, 1000);
    expect(changes).toContainEqual(
      expect.objectContaining({ kind: "repository_deleted", repository: "full" }),
    );
  });
});
