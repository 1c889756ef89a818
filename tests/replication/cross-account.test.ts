/** Another account's registry as a destination: its consent, its templates, and what it never tells. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createRepository } from "../../src/registry/create-repository.ts";
import { type CreationTemplate, createTemplate } from "../../src/registry/creation-templates.ts";
import { findDocument } from "../../src/registry/documents.ts";
import {
  repositoryPolicyKind,
  repositoryTagsKind,
} from "../../src/registry/repository-documents.ts";
import { findRepositorySettings } from "../../src/registry/repository-settings.ts";
import { describeImageReplication } from "../../src/replication/image-status.ts";
import { metadataStores } from "../support/metadata-stores.ts";
import { type Descriptor, noise, pushImage, testAccount } from "../support/push-image.ts";
import { type Fleet, ruleTo, startFleet, type TestRegion } from "../support/regions.ts";
import { allComplete, failureShown, pull, pullAll } from "../support/replicated.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(30_000);

const other = "444455556666";
const names = ["us-east-1", "eu-west-1"] as const;

const push = (region: TestRegion, repository: string, seed: string, tag = "1") =>
  pushImage(region.context, { repository, tags: [tag], layers: [noise(seed, 1000)] });

const statement = (region: string, actions: readonly string[], principal: object | string) => ({
  Effect: "Allow",
  Principal: principal,
  Action: actions.map((action) => `ecr:${action}`),
  Resource: `arn:aws:ecr:${region}:${other}:repository/*`,
});
const policy = (...statements: object[]) => ({ Version: "2012-10-17", Statement: statements });
const root = { AWS: `arn:aws:iam::${testAccount}:root` };

async function twoAccounts(
  destination: string,
  options: Parameters<typeof startFleet>[1] = {},
): Promise<{ fleet: Fleet; source: TestRegion; target: TestRegion }> {
  const fleet = await startFleet(names, options);
  const source = fleet.region("us-east-1");
  const target = fleet.region(destination);
  await target.access.addAccount(other);
  await source.configure([{ destinations: [{ region: destination, registryId: other }] }]);
  return { fleet, source, target };
}

async function statusOf(source: TestRegion, repository: string, digest: string) {
  const address = { account: testAccount, repository };
  const image = { digest: digest as never };
  return (await describeImageReplication(source.context, address, image)).statuses;
}

for (const [engine, openMetadata, available] of metadataStores) {
  for (const destination of names) {
    describe.skipIf(!available)(`another account in ${destination} on ${engine}`, () => {
      test("refuses until its policy allows it; then everything comes by itself", async () => {
        const { fleet, source, target } = await twoAccounts(destination, { openMetadata });
        await using _fleet = fleet;
        const images: Descriptor[] = [];
        for (const tag of ["1", "2", "3"]) images.push(await push(source, "web", tag, tag));
        const where = { region: destination, registryId: other };
        for (const { digest } of images) {
          const row = await failureShown(source, "web", digest, "destination_forbidden");
          expect(row).toMatchObject({ state: "pending", failure_side: "destination" });
          expect(row.failure_text).toEndWith(
            `is not authorized to perform: ecr:ReplicateImage on resource: arn:aws:ecr:${destination}:${other}:repository/web because no resource-based policy allows the ecr:ReplicateImage action`,
          );
          const status = { status: "FAILED", failureCode: "destination_forbidden" } as const;
          expect(await statusOf(source, "web", digest)).toEqual([{ ...where, ...status }]);
        }
        const refusals = target.access.audited.filter((text) => text.includes('"denied"'));
        expect(refusals.length).toBeGreaterThan(0);
        expect(refusals[0]).toContain("ecr:ReplicateImage");

        await target.access.setRegistryPolicy(
          other,
          policy(statement(destination, ["ReplicateImage"], root)),
        );
        const [first] = images;
        if (first === undefined) throw new Error("nothing was pushed");
        await failureShown(source, "web", first.digest, "repository_creation_forbidden");
        expect(target.access.audited.some((text) => text.includes("ecr:CreateRepository"))).toBe(
          true,
        );

        await target.access.setRegistryPolicy(
          other,
          policy(statement(destination, ["ReplicateImage", "CreateRepository"], root)),
        );
        for (const { digest } of images) {
          await allComplete(source, "web", digest);
          expect(await statusOf(source, "web", digest)).toEqual([{ ...where, status: "COMPLETE" }]);
          await pullAll(target, "web", digest, other);
        }
      });
    });
  }
}

describe("consent", () => {
  const principals: readonly (readonly [string, object | string])[] = [
    ["the source's account", root],
    ["everyone", "*"],
    ["the service", { Service: "replication.ecr.amazonaws.com" }],
    [
      "the service-linked role",
      {
        AWS: `arn:aws:iam::${testAccount}:role/aws-service-role/replication.ecr.amazonaws.com/AWSServiceRoleForECRReplication`,
      },
    ],
  ];
  test.each(principals)("may name %s", async (_name, principal) => {
    const { fleet, source, target } = await twoAccounts("eu-west-1");
    await using _fleet = fleet;
    const allow = statement("eu-west-1", ["ReplicateImage", "CreateRepository"], principal);
    await target.access.setRegistryPolicy(other, policy(allow));
    const image = await push(source, "web", "a");
    await allComplete(source, "web", image.digest);
    await pullAll(target, "web", "1", other);
  });

  test("may need nothing but ReplicateImage when the repository is there", async () => {
    const { fleet, source, target } = await twoAccounts("eu-west-1");
    await using _fleet = fleet;
    const actor = `arn:aws:iam::${other}:root`;
    await createRepository(target.context, { account: other, repository: "web", actor });
    await target.access.setRegistryPolicy(
      other,
      policy(statement("eu-west-1", ["ReplicateImage"], root)),
    );
    const image = await push(source, "web", "a");
    await allComplete(source, "web", image.digest);
  });

  test("of another account, or with a condition that does not hold, is none", async () => {
    const { fleet, source, target } = await twoAccounts("eu-west-1");
    await using _fleet = fleet;
    const actions = ["ReplicateImage", "CreateRepository"];
    await target.access.setRegistryPolicy(
      other,
      policy(statement("eu-west-1", actions, { AWS: "arn:aws:iam::777788889999:root" }), {
        ...statement("eu-west-1", actions, root),
        Condition: { StringEquals: { "aws:SourceAccount": "777788889999" } },
      }),
    );
    const image = await push(source, "web", "a");
    await failureShown(source, "web", image.digest, "destination_forbidden");
    expect(await pull(target, "web", "1", other)).toBeUndefined();
  });

  test("may be taken away from the account itself", async () => {
    await using fleet = await startFleet(names);
    const [source, target] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
    await source.configure([ruleTo("eu-west-1")]);
    await target.access.setRegistryPolicy(testAccount, {
      Version: "2012-10-17",
      Statement: {
        Effect: "Deny",
        Principal: "*",
        Action: "ecr:ReplicateImage",
        Resource: "arn:aws:ecr:*:*:repository/secret/*",
      },
    });
    const secret = await push(source, "secret/web", "a");
    const open = await push(source, "open/web", "b");
    await failureShown(source, "secret/web", secret.digest, "destination_forbidden");
    await allComplete(source, "open/web", open.digest);
  });

  test("an account that does not exist refuses like one that does not allow it", async () => {
    await using fleet = await startFleet(names);
    const source = fleet.region("us-east-1");
    const registryId = "999999999999";
    await source.configure([{ destinations: [{ region: "eu-west-1", registryId }] }]);
    const image = await push(source, "web", "a");
    const { failure_text } = await failureShown(
      source,
      "web",
      image.digest,
      "destination_forbidden",
    );
    expect(failure_text).toContain("because no resource-based policy allows");
  });

  test("an account that is made later gets what has waited for it", async () => {
    const late = "222233334444";
    await using fleet = await startFleet(names);
    const [source, target] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
    await source.configure([{ destinations: [{ region: "eu-west-1", registryId: late }] }]);
    await target.access.setRegistryPolicy(late, {
      Version: "2012-10-17",
      Statement: { ...statement("eu-west-1", ["*"], root), Resource: "*" },
    });
    const image = await push(source, "web", "a");
    await failureShown(source, "web", image.digest, "account_unknown");
    await target.access.addAccount(late);
    await allComplete(source, "web", image.digest);
    await pullAll(target, "web", "1", late);
  });
});

describe("a refused repository", () => {
  test("costs a few questions, not one for each of its images", async () => {
    const { fleet, source, target } = await twoAccounts("eu-west-1", {
      settings: { refusalBackOff: { firstMilliseconds: 60_000, limitMilliseconds: 60_000 } },
      idle: ["us-east-1"],
    });
    await using _fleet = fleet;
    const images: Descriptor[] = [];
    for (let i = 0; i < 100; i++) images.push(await push(source, "web", `${i}`, `${i}`));
    source.replication.start();
    for (const { digest } of images) {
      await failureShown(source, "web", digest, "destination_forbidden");
    }
    // As many as have places at once; the others wait with them.
    expect(target.requests.length).toBeLessThanOrEqual(64);
  });
});

describe("a creation template for replication", () => {
  const actor = `arn:aws:iam::${other}:root`;
  const template = (more: Partial<CreationTemplate>): CreationTemplate => ({
    tagMutability: "MUTABLE",
    exclusionFilters: [],
    appliedFor: ["REPLICATION"],
    createdAt: 1,
    updatedAt: 1,
    ...more,
  });
  const repositoryPolicy = JSON.stringify({
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Principal: "*", Action: "ecr:BatchGetImage" },
  });

  test("sets up the repository, the longest prefix first", async () => {
    const { fleet, source, target } = await twoAccounts("eu-west-1");
    await using _fleet = fleet;
    const add = (prefix: string, more: Partial<CreationTemplate>) =>
      createTemplate(target.context, { account: other, prefix, actor }, template(more));
    await add("ROOT", { resourceTags: { made: "by root" } });
    await add("team", { resourceTags: { made: "by team" } });
    await add("team/web", {
      tagMutability: "IMMUTABLE",
      resourceTags: { made: "by web" },
      repositoryPolicy,
    });
    await add("team/web/push", { appliedFor: ["CREATE_ON_PUSH"] });
    const actions = ["ReplicateImage", "CreateRepository", "TagResource"];
    await target.access.setRegistryPolicy(other, policy(statement("eu-west-1", actions, root)));
    const tagsOf = async (repository: string) => {
      const image = await push(source, repository, repository);
      await allComplete(source, repository, image.digest);
      const { read } = target.metadata;
      return (await findDocument(read, repositoryTagsKind, other, repository))?.value;
    };
    expect(await tagsOf("team/web/push/a")).toEqual({ made: "by web" });
    expect(await tagsOf("team/api")).toEqual({ made: "by team" });
    expect(await tagsOf("elsewhere")).toEqual({ made: "by root" });
    const { read } = target.metadata;
    const address = { account: other, repository: "team/web/push/a" };
    expect(await findRepositorySettings(read, address)).toMatchObject({
      tagMutability: "IMMUTABLE",
    });
    expect(
      (await findDocument(read, repositoryPolicyKind, other, address.repository))?.value.policyText,
    ).toBe(repositoryPolicy);
  });

  test("that sets tags needs the policy's consent to that, and says so", async () => {
    const { fleet, source, target } = await twoAccounts("eu-west-1");
    await using _fleet = fleet;
    const tagged = template({ resourceTags: { a: "b" } });
    await createTemplate(target.context, { account: other, prefix: "ROOT", actor }, tagged);
    const actions = ["ReplicateImage", "CreateRepository"];
    await target.access.setRegistryPolicy(other, policy(statement("eu-west-1", actions, root)));
    const image = await push(source, "web", "a");
    await failureShown(source, "web", image.digest, "creation_template_failed");
    await target.access.setRegistryPolicy(
      other,
      policy(statement("eu-west-1", [...actions, "TagResource"], root)),
    );
    await allComplete(source, "web", image.digest);
  });
});

test("what came from another account of the region is not forwarded", async () => {
  const { fleet, source, target } = await twoAccounts("us-east-1");
  await using _fleet = fleet;
  const allow = statement("us-east-1", ["ReplicateImage", "CreateRepository"], root);
  await target.access.setRegistryPolicy(other, policy(allow));
  await target.configure([{ destinations: [{ region: "eu-west-1", registryId: other }] }], other);
  const image = await push(source, "web", "a");
  await allComplete(source, "web", image.digest);
  expect(
    await source.metadata.read.all("select id from replications where account = $1", [other]),
  ).toEqual([]);
});
