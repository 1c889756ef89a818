/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetRepositoryScanningConfiguration.html */
import type {
  BatchGetRepositoryScanningConfigurationResponse,
  RepositoryScanningConfiguration,
  RepositoryScanningConfigurationFailure,
} from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { selectRepository } from "../../../metadata/queries/repositories.ts";
import { findDocument } from "../../../registry/documents.ts";
import { findRepositorySettings } from "../../../registry/repository-settings.ts";
import {
  appliedFilters,
  scanningConfigurationKind,
  scanningConfigurationName,
} from "../../../registry/scanning-configuration.ts";
import type { Wire } from "../../operation.ts";
import { operation, repositoryResource } from "../operation.ts";
import { filterShapes } from "../scanning-shape.ts";
import { repositoryName } from "../shapes.ts";

export const BatchGetRepositoryScanningConfiguration = operation({
  input: v.object({
    repositoryNames: v.pipe(v.array(repositoryName), v.minLength(1), v.maxLength(25)),
  }),
  permission: (call, input) =>
    input.repositoryNames.map((name) => ({
      action: "ecr:BatchGetRepositoryScanningConfiguration",
      resource: repositoryResource(call, { registryId: undefined, repositoryName: name }),
    })),
  async handle(call, input): Promise<Wire<BatchGetRepositoryScanningConfigurationResponse>> {
    const { account } = call.principal;
    const { read } = call.service.registry.metadata;
    const found = await findDocument(
      read,
      scanningConfigurationKind,
      account,
      scanningConfigurationName,
    );
    const rules = found?.value.rules ?? [];
    const scanningConfigurations: RepositoryScanningConfiguration[] = [];
    const failures: RepositoryScanningConfigurationFailure[] = [];
    for (const repository of input.repositoryNames) {
      if ((await selectRepository(read, account, repository)) === undefined) {
        failures.push({
          repositoryName: repository,
          failureCode: "REPOSITORY_NOT_FOUND",
          failureReason: `The repository with name '${repository}' does not exist in the registry with id '${account}'`,
        });
        continue;
      }
      const { scanOnPush } = await findRepositorySettings(read, { account, repository });
      const applied = rules
        .map((rule) => ({ rule, filters: appliedFilters(rule, repository) }))
        .find(({ filters }) => filters.length > 0);
      const fallback = scanOnPush ? "SCAN_ON_PUSH" : "MANUAL";
      const scanFrequency = applied?.rule.scanFrequency ?? fallback;
      scanningConfigurations.push({
        repositoryArn: repositoryResource(call, {
          registryId: account,
          repositoryName: repository,
        }),
        repositoryName: repository,
        scanOnPush: scanFrequency !== "MANUAL",
        scanFrequency,
        appliedScanFilters: filterShapes(applied?.filters ?? []),
      });
    }
    return { scanningConfigurations, failures };
  },
});
