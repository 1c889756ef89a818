/** The real SDK puts, previews and deletes lifecycle policies, and the runner carries them out. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../../tests/support/ecr-client.ts";
import { noise, pushImage, pushIndex } from "../../../../tests/support/push-image.ts";
import { selectChanges } from "../../../metadata/queries/changes.ts";
import { runLifecyclePolicies } from "../../../registry/lifecycle/run.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;
const repositoryName = "aging";

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  ecr = ecrClient(endpoint);
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

const policy = (selection: object, action: object = { type: "expire" }) =>
  JSON.stringify({
    rules: [{ rulePriority: 1, description: "keep the newest one only", selection, action }],
  });

test("a policy is put, previewed and carried out; the journal says what it did", async () => {
  const push = (
    tags: string[],
    seed: string,
    subject?: { digest: string; mediaType: string; size: number },
  ) =>
    pushImage(endpoint.registry, {
      repository: repositoryName,
      tags,
      layers: [noise(seed, 10)],
      ...(subject && { subject }),
    });
  const old = await push(["v1"], "one");
  const signature = await push([], "signature", old);
  const child = await push([], "child");
  await pushIndex(endpoint.registry, repositoryName, ["multi"], [child]);
  const untagged = await push([], "untagged");
  const find = new sdk.GetLifecyclePolicyCommand({ repositoryName });
  expect((await refusal(ecr.send(find))).name).toBe("LifecyclePolicyNotFoundException");
  const preview = new sdk.GetLifecyclePolicyPreviewCommand({ repositoryName, maxResults: 1 });
  expect((await refusal(ecr.send(preview))).name).toBe("LifecyclePolicyPreviewNotFoundException");
  const start = new sdk.StartLifecyclePolicyPreviewCommand({ repositoryName });
  expect((await refusal(ecr.send(start))).name).toBe("LifecyclePolicyNotFoundException");

  const lifecyclePolicyText = JSON.stringify({
    rules: [
      {
        rulePriority: 10,
        selection: {
          tagStatus: "tagged",
          tagPatternList: ["v*"],
          countType: "imageCountMoreThan",
          countNumber: 1,
        },
        action: { type: "expire" },
      },
      {
        rulePriority: 20,
        selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 1 },
        action: { type: "transition", targetStorageClass: "archive" },
      },
    ],
  });
  await push(["v2"], "two");
  await ecr.send(new sdk.PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));
  expect((await ecr.send(find)).lifecyclePolicyText).toBe(lifecyclePolicyText);
  await ecr.send(start);
  const { previewResults = [], ...shown } = await ecr.send(
    new sdk.GetLifecyclePolicyPreviewCommand({ repositoryName }),
  );
  expect(shown).toMatchObject({ status: "COMPLETE", lifecyclePolicyText });
  const expiring = previewResults.filter(({ action }) => action?.type === "EXPIRE");
  expect(expiring.map(({ imageDigest }) => imageDigest)).toEqual(
    [old.digest, signature.digest].sort(),
  );
  expect(shown.summary?.expiringImageTotalCount).toBe(2);
  const first = await ecr.send(preview);
  expect(first.previewResults).toEqual(previewResults.slice(0, 1));
  expect(first.nextToken).toBeDefined();

  const run = await runLifecyclePolicies(endpoint.registry);
  expect(run).toMatchObject({ repositories: 1, expired: 2, archived: previewResults.length - 2 });
  expect(await runLifecyclePolicies(endpoint.registry)).toMatchObject({ expired: 0, archived: 0 });
  const { imageDetails = [] } = await ecr.send(
    new sdk.DescribeImagesCommand({ repositoryName, filter: { imageStatus: "ANY" } }),
  );
  const digests = imageDetails.map(({ imageDigest }) => imageDigest);
  expect(digests).not.toContain(old.digest);
  expect(digests).not.toContain(signature.digest);
  expect(digests).toContain(child.digest);
  expect(digests).toContain(untagged.digest);
  const changes = await selectChanges(endpoint.registry.metadata.read, 0, 1000);
  expect(changes).toContainEqual(
    expect.objectContaining({
      kind: "image_deleted",
      digest: old.digest,
      detail: JSON.stringify({
        tags: ["v1"],
        manifestMediaType: "application/vnd.oci.image.manifest.v1+json",
        artifactMediaType: "application/vnd.oci.image.config.v1+json",
        lifecycle: { rulePriority: 10 },
      }),
    }),
  );
  expect(changes.filter(({ kind }) => kind === "lifecycle_policy_executed")).toHaveLength(1);
  const removed = await ecr.send(new sdk.DeleteLifecyclePolicyCommand({ repositoryName }));
  expect(removed.lastEvaluatedAt).toBeInstanceOf(Date);
});

test("what breaks the grammar is refused, with the reason, and nothing is stored", async () => {
  const since = { countType: "sinceImagePushed", countUnit: "days", countNumber: 1 };
  const count = { countType: "imageCountMoreThan", countNumber: 1 };
  const archive = { type: "transition", targetStorageClass: "archive" };
  const bad: [string, string][] = [
    ["x".repeat(100), "not JSON"],
    [policy({ tagStatus: "tagged", ...count }), "tagPatternList or tagPrefixList"],
    [policy({ tagStatus: "any", tagPrefixList: ["a"], ...count }), "takes no tag list"],
    [policy({ tagStatus: "any", ...since, countUnit: undefined }), "needs countUnit"],
    [policy({ tagStatus: "any", ...count, countUnit: "days" }), "takes no countUnit"],
    [policy({ tagStatus: "any", ...count, countNumber: 0 }), "countNumber"],
    [policy({ tagStatus: "any", ...count, more: 1 }), "more"],
    [policy({ tagStatus: "any", ...since, countType: "sinceImagePulled" }), "transition"],
    [policy({ tagStatus: "any", ...since, countType: "sinceImageTransitioned" }), "archive"],
    [policy({ tagStatus: "any", ...count }, { type: "transition" }), "targetStorageClass"],
    [policy({ tagStatus: "any", ...count, storageClass: "archive" }, archive), "already"],
    [policy({ tagStatus: "tagged", tagPatternList: ["*a*b*c*d*"], ...count }), "wildcards"],
  ];
  for (const [lifecyclePolicyText, reason] of bad) {
    const put = new sdk.PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText });
    const { name, message } = await refusal(ecr.send(put));
    expect({ lifecyclePolicyText, name }).toEqual({
      lifecyclePolicyText,
      name: "InvalidParameterException",
    });
    expect(message).toContain("Lifecycle policy validation failure: ");
    expect(message).toContain(reason);
  }
  expect(
    (await refusal(ecr.send(new sdk.GetLifecyclePolicyCommand({ repositoryName })))).name,
  ).toBe("LifecyclePolicyNotFoundException");
});
