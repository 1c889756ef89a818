/** Every operation of Amazon ECR that is here, by its name. */
import type { Operation } from "../../operation.ts";
import type { EcrContext } from "../service.ts";
import { CreateRepository } from "./CreateRepository.ts";
import { DescribeImageReplicationStatus } from "./DescribeImageReplicationStatus.ts";
import { DescribeRegistry } from "./DescribeRegistry.ts";
import { GetAuthorizationToken } from "./GetAuthorizationToken.ts";
import { PutReplicationConfiguration } from "./PutReplicationConfiguration.ts";

export const operations: Readonly<Record<string, Operation<EcrContext>>> = {
  CreateRepository,
  DescribeImageReplicationStatus,
  DescribeRegistry,
  GetAuthorizationToken,
  PutReplicationConfiguration,
};
