/** The replication configuration as Amazon ECR answers it. */
import type { RepositoryFilterType, ReplicationConfiguration as Shape } from "@aws-sdk/client-ecr";
import type { ReplicationConfiguration } from "../../replication/configuration.ts";

export function replicationConfigurationShape({ rules }: ReplicationConfiguration): Shape {
  return {
    rules: rules.map(({ destinations, repositoryFilters }) => ({
      destinations: destinations.map(({ region, registryId }) => ({ region, registryId })),
      ...(repositoryFilters && {
        repositoryFilters: repositoryFilters.map(({ filter, filterType }) => ({
          filter,
          // The SDK's type knows ECR's one only.
          filterType: filterType as RepositoryFilterType,
        })),
      }),
    })),
  };
}
