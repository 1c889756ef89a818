/** A repository as Amazon ECR answers it. */
import type { Repository } from "@aws-sdk/client-ecr";
import type { DescribedRepository } from "../../registry/describe-repositories.ts";
import { epochSeconds, type Wire } from "../operation.ts";
import { type EcrCall, repositoryResource, repositoryUri } from "./operation.ts";
import { tagMutabilityShape } from "./tag-mutability-shape.ts";

export function repositoryShape(call: EcrCall, repository: DescribedRepository): Wire<Repository> {
  const { account, name, createdAt, scanOnPush } = repository;
  return {
    repositoryArn: repositoryResource(call, { registryId: account, repositoryName: name }),
    registryId: account,
    repositoryName: name,
    repositoryUri: repositoryUri(call, account, name),
    createdAt: epochSeconds(createdAt),
    ...tagMutabilityShape(repository),
    imageScanningConfiguration: { scanOnPush },
    encryptionConfiguration: { encryptionType: "AES256" },
  };
}
