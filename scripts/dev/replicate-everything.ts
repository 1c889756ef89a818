/**
 * Sets the rule that sends every repository to all other regions, in each region that has no rule
 * yet, through the ECR API.
 */
import {
  DescribeRegistryCommand,
  ECRClient,
  PutReplicationConfigurationCommand,
} from "@aws-sdk/client-ecr";
import type { RootCredentials } from "../../src/runtime/secret-files.ts";
import type { Region } from "../../src/start-region.ts";

export async function replicateEverything(
  regions: readonly Region[],
  account: string,
  credentials: RootCredentials,
): Promise<void> {
  for (const { name, endpoint } of regions) {
    const destinations = regions
      .filter((other) => other.name !== name)
      .map((other) => ({ region: other.name, registryId: account }));
    const ecr = new ECRClient({ region: name, endpoint, credentials });
    const { replicationConfiguration } = await ecr.send(new DescribeRegistryCommand({}));
    if ((replicationConfiguration?.rules ?? []).length > 0) continue;
    await ecr.send(
      new PutReplicationConfigurationCommand({
        replicationConfiguration: { rules: [{ destinations }] },
      }),
    );
  }
}
