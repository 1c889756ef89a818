/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutReplicationConfiguration.html */
import type { PutReplicationConfigurationResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import {
  putReplicationConfiguration,
  replicationConfigurationSchema,
} from "../../../replication/configuration.ts";
import type { Wire } from "../../operation.ts";
import { operation } from "../operation.ts";
import { replicationConfigurationShape } from "../replication-configuration-shape.ts";

export const PutReplicationConfiguration = operation({
  input: v.object({ replicationConfiguration: replicationConfigurationSchema() }),
  permission: () => ({ action: "ecr:PutReplicationConfiguration", resource: "*" }),
  async handle(call, input): Promise<Wire<PutReplicationConfigurationResponse>> {
    const { registry, knownRegions } = call.service;
    const configuration = input.replicationConfiguration;
    await putReplicationConfiguration(registry, {
      account: call.principal.account,
      configuration,
      actor: call.principal.arn,
      knownRegions,
    });
    return { replicationConfiguration: replicationConfigurationShape(configuration) };
  },
});
