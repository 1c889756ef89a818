/** Amazon ECR as a service of the JSON protocol. */
import type { LayerUrls } from "../../access/layer-urls.ts";
import type { RegistryTokens } from "../../access/tokens.ts";
import type { PullThrough } from "../../pull-through/pull-through.ts";
import type { Upstreams } from "../../pull-through/upstreams.ts";
import type { RegistryContext } from "../../registry/context.ts";
import type { ReplicationConfigurationLimits } from "../../replication/configuration.ts";
import { AwsError } from "../errors.ts";
import type { JsonService } from "../json-protocol.ts";
import { invalidParameter, translateRegistryError } from "./errors.ts";
import { operations } from "./operations/index.ts";

/** What the operations work with. */
export interface EcrContext {
  readonly registry: RegistryContext;
  readonly tokens: RegistryTokens;
  readonly layerUrls: LayerUrls;
  /** Where clients find the registry of an account, with `{account}` for its id. */
  readonly registryEndpoint?: string | undefined;
  /** Repositories that are caches of an upstream. Absent: there are none. */
  readonly cache?: PullThrough | undefined;
  readonly upstreams?: Upstreams | undefined;
  /** Regions that images may be replicated to. Absent: not checked. */
  readonly knownRegions?: ReadonlySet<string> | undefined;
  /** Those among them that are registries and no regions. */
  readonly registries?: ReadonlySet<string> | undefined;
  /** Replication rules may have the filter types that are not ECR's. */
  readonly ownFilterTypes?: boolean | undefined;
  /** Of replication configurations. Absent: Amazon ECR's. */
  readonly replicationLimits?: ReplicationConfigurationLimits | undefined;
}

export function ecrService(context: EcrContext): JsonService<EcrContext> {
  return {
    signingName: "ecr",
    targetPrefix: "AmazonEC2ContainerRegistry_V20150921",
    operations,
    context,
    constraintError: ({ parameter, text }) => invalidParameter(parameter, text),
    translateError: translateRegistryError,
    internalError: new AwsError("ServerException", "The server failed to answer the request.", {
      status: 500,
    }),
  };
}
