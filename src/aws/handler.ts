/** The AWS endpoint, `POST /`: finds the service that a request is for. */
import type { Access } from "../access/access.ts";
import type { AccessKeys } from "../access/credentials.ts";
import type { LayerUrls } from "../access/layer-urls.ts";
import type { RegistryTokens } from "../access/tokens.ts";
import type { PullThrough } from "../pull-through/pull-through.ts";
import type { Upstreams } from "../pull-through/upstreams.ts";
import type { RegistryContext } from "../registry/context.ts";
import type { ReplicationConfigurationLimits } from "../replication/configuration.ts";
import type { Handler, RequestContext } from "../runtime/request.ts";
import { ecrService } from "./ecr/service.ts";
import { unknownOperation } from "./errors.ts";
import { type IdentityServiceContext, identityServices } from "./identity-services.ts";
import { errorAnswer, handleJson, type JsonProtocolOptions } from "./json-protocol.ts";
import { handleQuery } from "./query-protocol.ts";
import { secretsService } from "./secretsmanager/service.ts";
import { noThrottle, type Throttle } from "./throttle.ts";

export interface AwsHandlerOptions {
  readonly registry: RegistryContext;
  readonly access: Access;
  readonly keys: AccessKeys;
  readonly tokens: RegistryTokens;
  /** For IAM and STS. */
  readonly identities: IdentityServiceContext;
  readonly layerUrls: LayerUrls;
  /**
   * Where clients find the registry of an account, with `{account}` for its id, for example
   * `https://{account}.dkr.ecr.us-east-1.example.com`. Absent: where the request came to.
   */
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
  /** Takes the errors that nobody foresaw; the client gets a bare 500. */
  readonly reportError: (error: unknown, request: RequestContext) => void;
  /** Absent: nobody is held back. */
  readonly throttle?: Throttle | undefined;
}

export function awsHandler(options: AwsHandlerOptions): Handler {
  const { registry, access, keys, reportError } = options;
  const protocol: JsonProtocolOptions = {
    region: registry.region,
    access,
    keys,
    clock: registry.clock,
    throttle: options.throttle ?? noThrottle,
    reportError,
  };
  const ecr = ecrService(options);
  const secrets = secretsService(options.identities.identities);
  const services = identityServices(options.identities);
  return async (request, context) => {
    context.log.endpoint = "aws";
    const target = request.headers.get("x-amz-target") ?? "";
    if (target.startsWith(`${ecr.targetPrefix}.`)) {
      return handleJson(ecr, protocol, request, context);
    }
    if (target.startsWith(`${secrets.targetPrefix}.`)) {
      return handleJson(secrets, protocol, request, context);
    }
    if (target === "" && isForm(request)) {
      return handleQuery(services, protocol, request, context);
    }
    return errorAnswer(unknownOperation(), context);
  };
}

function isForm(request: Request): boolean {
  const contentType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  return contentType === "application/x-www-form-urlencoded";
}
