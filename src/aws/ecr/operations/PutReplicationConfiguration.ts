/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutReplicationConfiguration.html */
import type { PutReplicationConfigurationResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import {
  putReplicationConfiguration,
  replicationConfigurationSchema,
} from "../../../replication/configuration.ts";
import type { Operation, Wire } from "../../operation.ts";
import { operation } from "../operation.ts";
import { replicationConfigurationShape } from "../replication-configuration-shape.ts";
import type { EcrContext } from "../service.ts";

/** Filter types of our own are an extension that the operator switches on; the limits are theirs. */
export const PutReplicationConfiguration: Operation<EcrContext> = {
  bodyBytesLimit: 1024 * 1024,
  prepare(call, input) {
    const { replicationLimits, ownFilterTypes = false } = call.service;
    const schema = replicationConfigurationSchema(replicationLimits, { ownFilterTypes });
    return accepting(schema).prepare(call, input);
  },
};

function accepting(configurationSchema: ReturnType<typeof replicationConfigurationSchema>) {
  return operation({
    input: v.object({ replicationConfiguration: configurationSchema }),
    permission: () => ({ action: "ecr:PutReplicationConfiguration", resource: "*" }),
    async handle(call, input): Promise<Wire<PutReplicationConfigurationResponse>> {
      const { registry, knownRegions, registries, replicationLimits: limits } = call.service;
      const configuration = input.replicationConfiguration;
      await putReplicationConfiguration(registry, {
        account: call.principal.account,
        configuration,
        actor: call.principal.arn,
        knownRegions,
        registries,
        limits,
      });
      return { replicationConfiguration: replicationConfigurationShape(configuration) };
    },
  });
}
