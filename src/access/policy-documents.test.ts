import { expect, test } from "bun:test";
import { startAwsEndpoint } from "../../tests/support/aws-endpoint.ts";
import type { DocumentKind } from "../registry/documents.ts";
import { changeDocument } from "../registry/documents.ts";
import {
  accountSettingKind,
  registryPolicyKind,
  registryPolicyName,
  registryPolicyScopeSetting,
} from "../registry/policy-kinds.ts";
import { repositoryPolicyKind, repositoryTagsKind } from "../registry/repository-documents.ts";
import { documentResourceSource } from "./policy-documents.ts";

test("what the operations write is what decisions are made from", async () => {
  await using endpoint = await startAwsEndpoint();
  const { registry, account } = endpoint;
  const source = documentResourceSource(registry.metadata);
  expect(await source.repositoryPolicies(account, "team/web")).toEqual({ tags: {} });
  expect(await source.registryPolicies(account)).toEqual({ scope: "V2" });

  const write = <Value>(kind: DocumentKind<Value>, name: string, value: Value | undefined) =>
    registry.metadata.transaction((tx) =>
      changeDocument(registry, tx, kind, { account, name, actor: "test" }, () => value),
    );
  await write(repositoryPolicyKind, "team/web", { policyText: "{}" });
  await write(repositoryTagsKind, "team/web", { team: "blue" });
  await write(registryPolicyKind, registryPolicyName, { policyText: "{ }" });
  await write(accountSettingKind, registryPolicyScopeSetting, { value: "V1" });
  expect(await source.repositoryPolicies(account, "team/web")).toEqual({
    policy: "{}",
    tags: { team: "blue" },
  });
  expect(await source.repositoryPolicies("444455556666", "team/web")).toEqual({ tags: {} });
  expect(await source.registryPolicies(account)).toEqual({ policy: "{ }", scope: "V1" });

  await write(repositoryPolicyKind, "team/web", undefined);
  await write(registryPolicyKind, registryPolicyName, undefined);
  expect(await source.repositoryPolicies(account, "team/web")).toEqual({ tags: { team: "blue" } });
  expect(await source.registryPolicies(account)).toEqual({ scope: "V1" });
});
