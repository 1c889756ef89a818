/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRegistry.html */
import type { DescribeRegistryResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { getReplicationConfiguration } from "../../../replication/configuration.ts";
import type { Wire } from "../../operation.ts";
import { operation } from "../operation.ts";
import { replicationConfigurationShape } from "../replication-configuration-shape.ts";

export const DescribeRegistry = operation({
  input: v.object({}),
  permission: () => ({ action: "ecr:DescribeRegistry", resource: "*" }),
  async handle(call): Promise<Wire<DescribeRegistryResponse>> {
    const { account } = call.principal;
    const { metadata } = call.service.registry;
    const configuration = await getReplicationConfiguration(metadata.read, account);
    return {
      registryId: account,
      replicationConfiguration: replicationConfigurationShape(configuration),
    };
  },
});
