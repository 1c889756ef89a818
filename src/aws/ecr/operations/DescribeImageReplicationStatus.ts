/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageReplicationStatus.html */
import type { DescribeImageReplicationStatusResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { describeImageReplication } from "../../../replication/image-status.ts";
import type { Wire } from "../../operation.ts";
import { accountOf, operation, repositoryResource } from "../operation.ts";
import { imageIdentifier, optional, registryId, repositoryName } from "../shapes.ts";

export const DescribeImageReplicationStatus = operation({
  input: v.object({
    registryId: optional(registryId),
    repositoryName,
    imageId: imageIdentifier,
  }),
  permission: (call, input) => ({
    action: "ecr:DescribeImageReplicationStatus",
    resource: repositoryResource(call, input),
  }),
  async handle(call, input): Promise<Wire<DescribeImageReplicationStatusResponse>> {
    const { repositoryName, imageId } = input;
    call.request.log.repository = repositoryName;
    const { digest, statuses } = await describeImageReplication(
      call.service.registry,
      { account: accountOf(call, input), repository: repositoryName },
      { digest: imageId.imageDigest, tag: imageId.imageTag },
    );
    return {
      repositoryName,
      imageId: {
        imageDigest: digest,
        ...(imageId.imageTag !== undefined && { imageTag: imageId.imageTag }),
      },
      replicationStatuses: statuses.map(({ region, registryId, status, failureCode }) => ({
        region,
        registryId,
        status,
        ...(failureCode !== undefined && { failureCode }),
      })),
    };
  },
});
