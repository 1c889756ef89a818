/** Every operation of Amazon ECR that is here, by its name. */
import type { Operation } from "../../operation.ts";
import type { EcrContext } from "../service.ts";
import { CreateRepository } from "./CreateRepository.ts";
import { DeleteRepository } from "./DeleteRepository.ts";
import { DescribeImageReplicationStatus } from "./DescribeImageReplicationStatus.ts";
import { DescribeRegistry } from "./DescribeRegistry.ts";
import { DescribeRepositories } from "./DescribeRepositories.ts";
import { GetAuthorizationToken } from "./GetAuthorizationToken.ts";
import { ListTagsForResource } from "./ListTagsForResource.ts";
import { PutImageScanningConfiguration } from "./PutImageScanningConfiguration.ts";
import { PutImageTagMutability } from "./PutImageTagMutability.ts";
import { PutReplicationConfiguration } from "./PutReplicationConfiguration.ts";
import { TagResource } from "./TagResource.ts";
import { UntagResource } from "./UntagResource.ts";

export const operations: Readonly<Record<string, Operation<EcrContext>>> = {
  CreateRepository,
  DeleteRepository,
  DescribeImageReplicationStatus,
  DescribeRegistry,
  DescribeRepositories,
  GetAuthorizationToken,
  ListTagsForResource,
  PutImageScanningConfiguration,
  PutImageTagMutability,
  PutReplicationConfiguration,
  TagResource,
  UntagResource,
};
