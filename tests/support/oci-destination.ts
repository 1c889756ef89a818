/** A region with a rule for everything to a registry that is no region. */
import type { OciRegistry } from "../../src/replication/oci/registry.ts";
import { testAccount } from "./push-image.ts";
import { type Fleet, type FleetOptions, ruleTo, startFleet, type TestRegion } from "./regions.ts";

export interface OciDestinationOptions extends FleetOptions {
  readonly endpoint: string;
  readonly repository?: string;
  readonly account?: string;
  readonly credentials?: OciRegistry["credentials"];
}

export const basicCredentials = (username: string, password: string) => ({
  password: async () => ({ username, password }),
});

export async function toRegistry(
  options: OciDestinationOptions,
): Promise<{ fleet: Fleet; source: TestRegion }> {
  const registry: OciRegistry = {
    name: "backup",
    endpoint: options.endpoint,
    repository: options.repository ?? "{repository}",
    account: options.account ?? testAccount,
    credentials: options.credentials ?? { password: async () => undefined },
  };
  const fleet = await startFleet(["us-east-1"], { ...options, registries: [registry] });
  const source = fleet.region("us-east-1");
  await source.configure([ruleTo("backup")]);
  return { fleet, source };
}
