/** Policies of a test, as a source of decisions; and the decisions. */
import type { AccessRequest, Authentication, Principal } from "../../src/access/access.ts";
import { type Audit, noAudit } from "../../src/access/audit.ts";
import { type PolicyAccess, policyAccess } from "../../src/access/policy-access.ts";
import type { PolicySource, RegistryPolicyScope } from "../../src/access/policy-source.ts";
import { accessRequest } from "./access-request.ts";
import { type ManualClock, manualClock } from "./manual-clock.ts";

export interface IdentityInWorld {
  readonly principal: Principal;
  /** Policies as objects. */
  readonly policies?: readonly object[];
  readonly boundary?: object;
  readonly tags?: Record<string, string>;
}

export interface World {
  identities: IdentityInWorld[];
  /** Policies of repositories, by `account/name`. */
  repositoryPolicies: Record<string, object>;
  repositoryTags: Record<string, Record<string, string>>;
  /** By account. */
  registryPolicies: Record<string, object>;
  scope: RegistryPolicyScope;
  endpointPolicy?: object;
}

export interface WorldAccess {
  readonly access: PolicyAccess;
  readonly clock: ManualClock;
  readonly world: World;
  /** How often each kind was asked for. */
  readonly loads: { identities: number; repositories: number; registries: number };
  /** For a test that has changed the world. */
  forgetAll(): void;
  /** `allowed`, or the end of the refusal behind the resource. */
  decide(
    principal: Principal,
    action: string,
    resource: string,
    rest?: Partial<AccessRequest>,
  ): Promise<string>;
}

export function worldAccess(
  parts: Partial<World>,
  options: {
    audit?: Audit;
    organization?: string;
    /** Who may come through the door, by the name that they give; see `basic`. */
    users?: Readonly<Record<string, Principal>>;
  } = {},
): WorldAccess {
  const world: World = {
    identities: [],
    repositoryPolicies: {},
    repositoryTags: {},
    registryPolicies: {},
    scope: "V2",
    ...parts,
  };
  const loads = { identities: 0, repositories: 0, registries: 0 };
  const source: PolicySource = {
    async identityPolicies(arn) {
      loads.identities++;
      const found = world.identities.find(({ principal }) => principal.identityArn === arn);
      if (found === undefined) return undefined;
      const { principal, policies = [], boundary, tags = {} } = found;
      return {
        id: principal.userId.split(":", 1)[0] ?? "",
        policies: policies.map((policy, index) => ({
          name: `policy ${index + 1} of ${arn}`,
          document: JSON.stringify(policy),
        })),
        ...(boundary !== undefined && {
          boundary: { name: `boundary of ${arn}`, document: JSON.stringify(boundary) },
        }),
        tags,
      };
    },
    async repositoryPolicies(account, repository) {
      loads.repositories++;
      const key = `${account}/${repository}`;
      const policy = world.repositoryPolicies[key];
      return {
        ...(policy !== undefined && { policy: JSON.stringify(policy) }),
        tags: world.repositoryTags[key] ?? {},
      };
    },
    async registryPolicies(account) {
      loads.registries++;
      const policy = world.registryPolicies[account];
      return {
        ...(policy !== undefined && { policy: JSON.stringify(policy) }),
        scope: world.scope,
      };
    },
    endpointPolicy: (request) =>
      request.endpoint === undefined || world.endpointPolicy === undefined
        ? undefined
        : { name: request.endpoint.id, document: JSON.stringify(world.endpointPolicy) },
  };
  const authenticate = async (authorization: string | null): Promise<Authentication> => {
    const user = atob(authorization?.replace(/^Basic /, "") ?? "").replace(/:secret$/, "");
    const principal = options.users?.[user];
    return principal === undefined ? { failure: "invalid" } : { principal };
  };
  const clock = manualClock();
  const access = policyAccess({
    authenticateBasic: Object.assign(authenticate, { forgetAll() {} }),
    source,
    audit: options.audit ?? noAudit,
    clock,
    region: "us-east-1",
    organization: options.organization,
  });
  return {
    access,
    clock,
    world,
    loads,
    forgetAll: () => access.forgetAll(),
    async decide(principal, action, resource, rest) {
      const request = accessRequest(principal, action, resource, rest);
      const { allowed, message } = await access.decide(request);
      if (allowed) return "allowed";
      const start = `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} `;
      if (!message.startsWith(start)) throw new Error(`a refusal in other words: ${message}`);
      return message.slice(start.length).replace(` allows the ${action} action`, "");
    },
  };
}

/** How a user of the world comes to `/v2/`. */
export const basic = (user: string) => ({ Authorization: `Basic ${btoa(`${user}:secret`)}` });

export const policy = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });

export const allow = (Action: string | string[], rest: object = {}) => ({
  Effect: "Allow",
  Action,
  Resource: "*",
  ...rest,
});

export const deny = (Action: string | string[], rest: object = {}) => ({
  ...allow(Action, rest),
  Effect: "Deny",
});
