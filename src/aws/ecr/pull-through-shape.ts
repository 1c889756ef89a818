/** Pull-through cache rules as Amazon ECR takes and answers them. */
import type { PullThroughCacheRule, UpstreamRegistry } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import type { PullThroughRule } from "../../registry/pull-through-rules.ts";
import { AwsError } from "../errors.ts";
import { epochSeconds, type Wire } from "../operation.ts";
import type { EcrCall } from "./operation.ts";
import { optional } from "./shapes.ts";

export const cachePrefix = v.pipe(
  v.string(),
  v.minLength(2),
  v.maxLength(30),
  v.regex(/^((?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*\/?|ROOT)$/),
);
export const upstreamPrefix = optional(cachePrefix);
export const credentialArn = optional(
  v.pipe(
    v.string(),
    v.minLength(50),
    v.maxLength(612),
    v.regex(
      /^arn:aws:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr-pullthroughcache\/[a-zA-Z0-9/_+=.@-]+$/,
    ),
  ),
);
export const customRoleArn = optional(v.pipe(v.string(), v.maxLength(2048)));

/** Slashes at the end are implied. */
export const withoutSlash = (prefix: string) => prefix.replace(/\/$/, "");

interface KnownUpstream {
  readonly name: UpstreamRegistry;
  readonly host: RegExp;
  /** Its registry gives nothing to those who do not sign in. */
  readonly needsCredentials: boolean;
}

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreatePullThroughCacheRule.html */
const knownUpstreams: readonly KnownUpstream[] = [
  { name: "ecr-public", host: /^public\.ecr\.aws$/, needsCredentials: false },
  { name: "k8s", host: /^registry\.k8s\.io$/, needsCredentials: false },
  { name: "quay", host: /^quay\.io$/, needsCredentials: false },
  { name: "docker-hub", host: /^registry-1\.docker\.io$/, needsCredentials: true },
  { name: "github-container-registry", host: /^ghcr\.io$/, needsCredentials: true },
  { name: "gitlab-container-registry", host: /^registry\.gitlab\.com$/, needsCredentials: true },
  { name: "azure-container-registry", host: /^[a-zA-Z0-9]+\.azurecr\.io$/, needsCredentials: true },
  { name: "chainguard", host: /^cgr\.dev$/, needsCredentials: true },
];

const unsupported = (text: string) => new AwsError("UnsupportedUpstreamRegistryException", text);

/**
 * Which upstream a URL means: one that AWS knows, or one that this registry's configuration allows.
 * @throws UnsupportedUpstreamRegistryException, ValidationException
 */
export function requireUpstream(
  { service }: EcrCall,
  input: {
    readonly upstreamRegistryUrl: string;
    readonly upstreamRegistry: string | undefined;
    readonly credentialArn: string | undefined;
  },
): { readonly host: string; readonly name: string | undefined } {
  const host = input.upstreamRegistryUrl.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  if (service.upstreams?.isAllowed(host)) return { host, name: input.upstreamRegistry };
  const known = knownUpstreams.find((each) => each.host.test(host));
  if (known === undefined) {
    throw unsupported(
      `The upstream registry URL ${host} is not supported: the configuration entry pullThroughCache.upstreams does not name it`,
    );
  }
  if (input.upstreamRegistry !== undefined && input.upstreamRegistry !== known.name) {
    throw unsupported(
      `The upstream registry URL ${host} does not belong to ${input.upstreamRegistry}`,
    );
  }
  if (known.needsCredentials && input.credentialArn === undefined) {
    throw new AwsError(
      "ValidationException",
      `The upstream registry ${known.name} needs credentials: credentialArn is missing`,
    );
  }
  return { host, name: known.name };
}

/** @throws SecretNotFoundException, UnableToAccessSecretException, UnableToDecryptSecretValueException */
export async function requireCredentials(call: EcrCall, arn: string | undefined): Promise<void> {
  if (arn === undefined) return;
  const { upstreams } = call.service;
  const problem = await upstreams?.credentialProblem(call.principal.account, arn);
  if (problem !== undefined) throw new AwsError(problem.type, problem.text);
}

export function pullThroughRuleShape(
  account: string,
  prefix: string,
  rule: PullThroughRule,
): Wire<PullThroughCacheRule> {
  const { upstreamRegistry, credentialArn: secret, customRoleArn: role } = rule;
  return {
    ecrRepositoryPrefix: prefix,
    upstreamRegistryUrl: rule.upstreamRegistryUrl,
    createdAt: epochSeconds(rule.createdAt),
    registryId: account,
    ...(secret !== undefined && { credentialArn: secret }),
    ...(role !== undefined && { customRoleArn: role }),
    upstreamRepositoryPrefix: rule.upstreamRepositoryPrefix,
    ...(upstreamRegistry !== undefined && {
      upstreamRegistry: upstreamRegistry as UpstreamRegistry,
    }),
    updatedAt: epochSeconds(rule.updatedAt),
  };
}
