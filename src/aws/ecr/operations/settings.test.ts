/** The real SDK sets policies, templates, account settings and pull-time exclusions. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../../tests/support/ecr-client.ts";
import { pushImage } from "../../../../tests/support/push-image.ts";
import { ensureRepository } from "../../../registry/create-repository.ts";
import { ensureFirstTemplates } from "../../../registry/creation-templates.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;
const account = "111122223333";

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  ecr = ecrClient(endpoint);
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

const policy = (fields: object = {}) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Sid: "pull", Effect: "Allow", Principal: "*", Action: "ecr:BatchGetImage", ...fields },
    ],
  });

test("a repository policy is set, found, and deleted", async () => {
  const repositoryName = "policies";
  await ecr.send(new sdk.CreateRepositoryCommand({ repositoryName }));
  const find = () => ecr.send(new sdk.GetRepositoryPolicyCommand({ repositoryName }));
  const set = (policyText: string, force = false) =>
    ecr.send(new sdk.SetRepositoryPolicyCommand({ repositoryName, policyText, force }));
  expect(await refusal(find())).toEqual({
    name: "RepositoryPolicyNotFoundException",
    message:
      "Repository policy for the repository with name 'policies' in the registry with id '111122223333' does not exist",
  });
  const policyText = policy();
  expect(await set(policyText)).toMatchObject({ registryId: account, repositoryName, policyText });
  expect((await find()).policyText).toBe(policyText);
  for (const text of ["x", "{}", policy({ Action: "s3:GetObject" }), policy({ Effect: "Maybe" })]) {
    expect(await refusal(set(text))).toEqual({
      name: "InvalidParameterException",
      message:
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
    });
  }
  const lockOut = policy({ Effect: "Deny", Action: "ecr:Set*" });
  expect((await refusal(set(lockOut))).name).toBe("InvalidParameterException");
  expect((await find()).policyText).toBe(policyText);
  const removed = await ecr.send(new sdk.DeleteRepositoryPolicyCommand({ repositoryName }));
  expect(removed.policyText).toBe(policyText);
  expect((await refusal(find())).name).toBe("RepositoryPolicyNotFoundException");
  await set(lockOut, true);
  expect((await refusal(set(policyText))).name).toBe("AccessDeniedException");
});

test("a registry policy follows the scope of the account", async () => {
  const find = () => ecr.send(new sdk.GetRegistryPolicyCommand({}));
  const put = (policyText: string) => ecr.send(new sdk.PutRegistryPolicyCommand({ policyText }));
  expect((await refusal(find())).name).toBe("RegistryPolicyNotFoundException");
  const any = policy({ Resource: "*" });
  expect(await put(any)).toEqual(expect.objectContaining({ registryId: account, policyText: any }));
  expect((await find()).policyText).toBe(any);
  const setting = (name: sdk.PutAccountSettingRequest["name"], value: string) =>
    ecr.send(new sdk.PutAccountSettingCommand({ name, value }));
  expect(await setting("REGISTRY_POLICY_SCOPE", "V1")).toMatchObject({ value: "V1" });
  expect((await refusal(put(any))).name).toBe("InvalidParameterException");
  await put(policy({ Action: ["ecr:ReplicateImage", "ecr:CreateRepository"], Resource: "*" }));
  await ecr.send(new sdk.DeleteRegistryPolicyCommand({}));
  expect((await refusal(ecr.send(new sdk.DeleteRegistryPolicyCommand({})))).name).toBe(
    "RegistryPolicyNotFoundException",
  );
  expect((await refusal(setting("REGISTRY_POLICY_SCOPE", "V3"))).name).toBe(
    "InvalidParameterException",
  );
  expect((await refusal(setting("NONE", "V1"))).name).toBe("InvalidParameterException");
  const found = await ecr.send(new sdk.GetAccountSettingCommand({ name: "BLOB_MOUNTING" }));
  expect(found).toMatchObject({ name: "BLOB_MOUNTING", value: "ENABLED" });
});

describe("creation templates", () => {
  const lifecyclePolicy = JSON.stringify({
    rules: [
      {
        rulePriority: 1,
        selection: { tagStatus: "untagged", countType: "imageCountMoreThan", countNumber: 1 },
        action: { type: "expire" },
      },
    ],
  });

  test("are created, changed, listed and deleted, and shape what a push or a replication makes", async () => {
    const create = (input: Partial<sdk.CreateRepositoryCreationTemplateRequest>) =>
      ecr.send(
        new sdk.CreateRepositoryCreationTemplateCommand({
          prefix: "team",
          appliedFor: ["CREATE_ON_PUSH"],
          ...input,
        }),
      );
    const made = await create({
      prefix: "team/",
      description: "of the team",
      imageTagMutability: "IMMUTABLE",
      resourceTags: [{ Key: "team", Value: "web" }],
      repositoryPolicy: policy(),
      lifecyclePolicy,
    });
    expect(made.repositoryCreationTemplate).toMatchObject({
      prefix: "team",
      description: "of the team",
      imageTagMutability: "IMMUTABLE",
      appliedFor: ["CREATE_ON_PUSH"],
    });
    expect((await refusal(create({}))).name).toBe("TemplateAlreadyExistsException");
    await create({
      prefix: "ROOT",
      appliedFor: ["REPLICATION"],
      imageTagMutability: "MUTABLE_WITH_EXCLUSION",
      imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "v*" }],
    });
    for (const input of [
      { prefix: "UPPER" },
      { prefix: "bad", repositoryPolicy: "{}" },
      { prefix: "bad", lifecyclePolicy: "{}" },
      { prefix: "bad", appliedFor: [] },
      { prefix: "bad", imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" as const },
    ]) {
      expect({ input, ...(await refusal(create(input))) }).toMatchObject({
        name: "InvalidParameterException",
      });
    }
    const describe = new sdk.DescribeRepositoryCreationTemplatesCommand({ maxResults: 1 });
    const first = await ecr.send(describe);
    expect(first.repositoryCreationTemplates?.map(({ prefix }) => prefix)).toEqual(["ROOT"]);
    const second = await ecr.send(
      new sdk.DescribeRepositoryCreationTemplatesCommand({ nextToken: first.nextToken }),
    );
    expect(second.repositoryCreationTemplates?.map(({ prefix }) => prefix)).toEqual(["team"]);

    await pushImage(endpoint.registry, { repository: "team/a/b", tags: ["1"], layers: [] });
    const repositoryName = "team/a/b";
    const found = async (name: string) =>
      (await ecr.send(new sdk.DescribeRepositoriesCommand({ repositoryNames: [name] })))
        .repositories?.[0];
    expect(await found(repositoryName)).toMatchObject({ imageTagMutability: "IMMUTABLE" });
    const own = await ecr.send(new sdk.GetLifecyclePolicyCommand({ repositoryName }));
    expect(own.lifecyclePolicyText).toBe(lifecyclePolicy);
    const tags = await ecr.send(
      new sdk.ListTagsForResourceCommand({
        resourceArn: `arn:aws:ecr:us-east-1:${account}:repository/${repositoryName}`,
      }),
    );
    expect(tags.tags).toEqual([{ Key: "team", Value: "web" }]);
    await endpoint.registry.metadata.transaction((tx) =>
      ensureRepository(endpoint.registry, tx, { account, repository: "team/copy", actor: "test" }),
    );
    expect(await found("team/copy")).toMatchObject({
      imageTagMutability: "MUTABLE_WITH_EXCLUSION",
    });

    const updated = await ecr.send(
      new sdk.UpdateRepositoryCreationTemplateCommand({
        prefix: "team",
        imageTagMutability: "MUTABLE",
        repositoryPolicy: "",
      }),
    );
    expect(updated.repositoryCreationTemplate).toMatchObject({
      description: "of the team",
      imageTagMutability: "MUTABLE",
    });
    expect(updated.repositoryCreationTemplate).not.toHaveProperty("repositoryPolicy");
    const remove = new sdk.DeleteRepositoryCreationTemplateCommand({ prefix: "team" });
    await ecr.send(remove);
    expect((await refusal(ecr.send(remove))).name).toBe("TemplateNotFoundException");
  });

  test("a new registry has ROOT, and without it a push to a missing repository is refused", async () => {
    await using own = await startAwsEndpoint();
    const registry = {
      ...own.registry,
      settings: { ...own.registry.settings, createRepositoryOnPush: false },
    };
    const push = (repository: string) =>
      refusal(pushImage(registry, { repository, tags: ["1"], layers: [] }));
    expect((await push("early")).message).toContain("repository_unknown");
    await ensureFirstTemplates(registry, { account, templates: "root" });
    expect((await push("on-push")).name).toBe("accepted");
    await ecrClient(own).send(new sdk.DeleteRepositoryCreationTemplateCommand({ prefix: "ROOT" }));
    // The next start does not bring it back.
    await ensureFirstTemplates(registry, { account, templates: "root" });
    expect((await push("late")).message).toContain("repository_unknown");
  });
});

test("pull-time exclusions are kept, and a pull by an excluded principal leaves no time", async () => {
  const principalArn = `arn:aws:iam::${account}:role/scanner`;
  const register = (arn: string) =>
    ecr.send(new sdk.RegisterPullTimeUpdateExclusionCommand({ principalArn: arn }));
  expect(await register(principalArn)).toMatchObject({ principalArn });
  expect((await refusal(register(principalArn))).name).toBe("ExclusionAlreadyExistsException");
  expect((await refusal(register("arn:aws:iam::1:root"))).name).toBe("InvalidParameterException");
  const list = await ecr.send(new sdk.ListPullTimeUpdateExclusionsCommand({}));
  expect(list.pullTimeUpdateExclusions).toEqual([principalArn]);
  const deregister = new sdk.DeregisterPullTimeUpdateExclusionCommand({ principalArn });
  await ecr.send(deregister);
  expect((await refusal(ecr.send(deregister))).name).toBe("ExclusionNotFoundException");
});
