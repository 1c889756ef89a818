/** The registries of the chart as destinations, with the credentials that the configuration names. */

import { ReplicationFailure } from "./replication/failure.ts";
import { ecrCredentials } from "./replication/oci/ecr-credentials.ts";
import type { OciRegistry, RegistryCredentials } from "./replication/oci/registry.ts";
import { defaultReplicationSettings } from "./replication/settings.ts";
import { amazonRegistry, type ChartRegistry, registriesOf } from "./runtime/chart-values.ts";
import type { Clock } from "./runtime/clock.ts";
import type { Configuration } from "./runtime/configuration-entries.ts";
import { readRegistryCredentials } from "./runtime/registry-credentials.ts";
import { SecretFileError } from "./runtime/secret-files.ts";

export function chartRegistries({ chart, account }: Configuration, clock: Clock): OciRegistry[] {
  return registriesOf(chart).map((registry) => ({
    name: registry.name,
    endpoint: registry.endpoint,
    repository: registry.repository,
    account,
    credentials: credentialsOf(registry, clock),
  }));
}

function credentialsOf({ name, endpoint, credentials }: ChartRegistry, clock: Clock) {
  const none: RegistryCredentials = { password: async () => undefined };
  if (credentials === undefined) return none;
  const read = async () => {
    try {
      return await readRegistryCredentials(credentials, endpoint);
    } catch (error) {
      if (!(error instanceof SecretFileError)) throw error;
      throw new ReplicationFailure("destination_unauthorized", error.message, { cause: error });
    }
  };
  if (credentials.kind === "basic") {
    return {
      async password() {
        const found = await read();
        return found.kind === "basic" ? found : undefined;
      },
    };
  }
  const amazon = amazonRegistry(endpoint);
  const keys = async () => {
    const found = await read();
    if (found.kind === "ecr") return found;
    throw new ReplicationFailure("destination_unauthorized", `${name} has no AWS keys`);
  };
  return ecrCredentials(
    {
      endpoint: amazon?.apiEndpoint ?? endpoint,
      region: credentials.region ?? amazon?.region ?? "us-east-1",
      account: amazon?.account,
      keys,
    },
    { name, fetch: (url, init) => fetch(url, init), clock, settings: defaultReplicationSettings },
  );
}
