/**
 * Collects the policies that concern a call, compiled, and remembers them until they change: an
 * ordinary decision touches no database and waits for nothing.
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import type { ChangeObserver } from "../registry/context.ts";
import { accountSettingKind, registryPolicyKind } from "../registry/policy-kinds.ts";
import { repositoryPolicyKind, repositoryTagsKind } from "../registry/repository-documents.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Caller, Permission, RequestFacts } from "./access.ts";
import { type CompiledPolicies, compiledPolicies } from "./compiled-policies.ts";
import type { DecisionPolicies } from "./decision.ts";
import { type ChangedDocument, documentChanges } from "./document-changes.ts";
import { registryPolicyActionsV1 } from "./ecr-actions.ts";
import { accessKeyKind, identityKinds } from "./identities/identity-documents.ts";
import type { CompiledPolicy } from "./policy/compile-policy.ts";
import { policyCache } from "./policy-cache.ts";
import type { PolicySource, RegistryPolicyScope } from "./policy-source.ts";
import { rootKeyKind } from "./root-keys.ts";

export interface PolicyCollectionOptions {
  readonly source: PolicySource;
  readonly clock: Pick<Clock, "now">;
  /** Where changes by other processes and nodes are seen; absent: there are none. */
  readonly journal?: Queryable | undefined;
  /** How long such a change may go unseen. */
  readonly freshMilliseconds?: number | undefined;
  /** Told that something has changed, before it is collected anew. */
  readonly onChange: () => void;
  /** Told that an access key has changed. */
  readonly onKeyChange: () => void;
}

/** All that a decision is made from, but for what the request tells. */
export interface Collected {
  readonly policies: DecisionPolicies;
  /** Whose resource it is. */
  readonly resourceAccount: string;
  readonly identityTags: Readonly<Record<string, string>>;
  readonly resourceTags: Readonly<Record<string, string>>;
}

export interface PolicyCollection {
  /** To be waited for before anything remembered is used. Undefined: nothing to wait for. */
  follow(): Promise<void> | undefined;
  collect(caller: Caller, permission: Permission): Collected | Promise<Collected>;
  /** Makes changes count from their commit on. */
  readonly observer: ChangeObserver;
  /** For changes that no journal tells of. */
  forgetAll(): void;
}

interface Identity {
  readonly id: string;
  readonly policies: readonly CompiledPolicy[];
  readonly boundary?: CompiledPolicy;
  readonly tags: Readonly<Record<string, string>>;
}

interface Repository {
  readonly policies: readonly CompiledPolicy[];
  readonly tags: Readonly<Record<string, string>>;
}

interface Registry {
  readonly policies: readonly CompiledPolicy[];
  readonly scope: RegistryPolicyScope;
}

const noTags: Readonly<Record<string, string>> = {};
const noPolicies: readonly CompiledPolicy[] = [];
const noRepository: Repository = { policies: noPolicies, tags: noTags };
const noRegistry: Registry = { policies: noPolicies, scope: "V2" };
const entriesLimit = 50_000;

const repositoryKinds = new Set([repositoryPolicyKind.kind, repositoryTagsKind.kind]);
const registryKinds = new Set([registryPolicyKind.kind, accountSettingKind.kind]);
const kindsOfIdentities = new Set(
  (["user", "group", "role", "policy"] as const).map((type) => identityKinds[type].kind),
);

export function policyCollection(options: PolicyCollectionOptions): PolicyCollection {
  const { source, onChange } = options;
  const compile = compiledPolicies();
  const identities = policyCache<Identity | undefined>({
    entriesLimit,
    load: (arn) => loadIdentity(source, compile, arn),
  });
  const repositories = policyCache<Repository>({
    entriesLimit,
    load: (key) => loadRepository(source, compile, key),
  });
  const registries = policyCache<Registry>({
    entriesLimit,
    load: (account) => loadRegistry(source, compile, account),
  });

  function forget({ account, kind, name }: ChangedDocument): void {
    if (kind === accessKeyKind.kind || kind === rootKeyKind.kind) options.onKeyChange();
    if (repositoryKinds.has(kind)) repositories.forget(`${account}/${name}`);
    else if (registryKinds.has(kind)) registries.forget(account);
    // A policy or a group may concern any number of them.
    else if (kindsOfIdentities.has(kind)) identities.forgetAll();
    else return;
    onChange();
  }

  function forgetAll(): void {
    onChange();
    options.onKeyChange();
    for (const cache of [identities, repositories, registries]) cache.forgetAll();
  }

  const changes =
    options.journal &&
    documentChanges({
      journal: options.journal,
      clock: options.clock,
      freshMilliseconds: options.freshMilliseconds ?? 1000,
      onChange: forget,
      onMany: forgetAll,
    });

  function join(
    caller: Caller,
    permission: Permission,
    resourceAccount: string,
    identity: Identity | undefined,
    repository: Repository,
    registry: Registry,
  ): Collected {
    const { principal, request } = caller;
    const isRoot = principal.kind === "root";
    // An identity that is gone may do nothing, whatever a resource's policy says.
    const isGone = !isRoot && identity?.id !== principal.userId.split(":", 1)[0];
    const counts = registry.scope === "V2" || registryPolicyActionsV1.has(permission.action);
    const resource = counts ? [...repository.policies, ...registry.policies] : repository.policies;
    return {
      resourceAccount,
      policies: {
        identity: isRoot ? undefined : isGone ? noPolicies : identity?.policies,
        boundary: identity?.boundary,
        session: sessionPolicies(caller),
        resource: isGone ? noPolicies : resource,
        trust: trustPolicy(permission),
        endpoint: endpointPolicy(request),
      },
      identityTags: identity?.tags ?? noTags,
      resourceTags: repository.tags,
    };
  }

  function sessionPolicies({ principal }: Caller): CompiledPolicy[] | undefined {
    const documents = principal.session?.policies ?? [];
    if (documents.length === 0) return undefined;
    return documents.map((document, index) =>
      compile({ name: `session policy ${index + 1}`, document }, "session"),
    );
  }

  function trustPolicy({ trustPolicy, resource }: Permission): CompiledPolicy | undefined {
    if (trustPolicy === undefined) return undefined;
    return compile({ name: `trust policy of ${resource}`, document: trustPolicy }, "trust");
  }

  function endpointPolicy(request: RequestFacts): CompiledPolicy | undefined {
    const policy = source.endpointPolicy?.(request);
    return policy && compile(policy, "endpoint");
  }

  return {
    follow: () => changes?.follow(),
    collect(caller, permission) {
      const { principal } = caller;
      const target = targetOf(permission.resource);
      const resourceAccount = target?.account ?? permission.account ?? principal.account;
      const isEcr = permission.action.startsWith("ecr:");
      const identity =
        principal.kind === "root" ? undefined : identities.get(principal.identityArn);
      const repository =
        isEcr && target?.repository !== undefined
          ? repositories.get(`${target.account}/${target.repository}`)
          : noRepository;
      const registry = isEcr ? registries.get(resourceAccount) : noRegistry;
      if (
        identity instanceof Promise ||
        repository instanceof Promise ||
        registry instanceof Promise
      ) {
        return Promise.all([identity, repository, registry]).then((found) =>
          join(caller, permission, resourceAccount, ...found),
        );
      }
      return join(caller, permission, resourceAccount, identity, repository, registry);
    },
    async observer(tx, change) {
      if (change.kind !== "document_set" && change.kind !== "document_deleted") return;
      const { account, detail } = change;
      const kind = String(detail?.kind);
      const name = String(detail?.name);
      tx.afterCommit(() => forget({ account, kind, name }));
    },
    forgetAll,
  };
}

/** `arn:partition:service:region:account:resource` */
const arnPattern = /^arn:[^:]*:([^:]*):[^:]*:([0-9]{12}):(?:repository\/(.+))?/;

function targetOf(resource: string): { account: string; repository?: string } | undefined {
  const match = arnPattern.exec(resource);
  if (match?.[2] === undefined) return undefined;
  const [, service, account, repository] = match;
  return service === "ecr" && repository !== undefined ? { account, repository } : { account };
}

async function loadIdentity(
  source: PolicySource,
  compile: CompiledPolicies,
  arn: string,
): Promise<Identity | undefined> {
  const found = await source.identityPolicies(arn);
  if (found === undefined) return undefined;
  return {
    id: found.id,
    policies: found.policies.map((policy) => compile(policy, "identity")),
    ...(found.boundary !== undefined && { boundary: compile(found.boundary, "identity") }),
    tags: found.tags,
  };
}

async function loadRepository(
  source: PolicySource,
  compile: CompiledPolicies,
  key: string,
): Promise<Repository> {
  const slash = key.indexOf("/");
  const name = key.slice(slash + 1);
  const { policy, tags } = await source.repositoryPolicies(key.slice(0, slash), name);
  if (policy === undefined && Object.keys(tags).length === 0) return noRepository;
  return {
    policies:
      policy === undefined
        ? noPolicies
        : [compile({ name: `repository policy of ${name}`, document: policy }, "repository")],
    tags,
  };
}

async function loadRegistry(
  source: PolicySource,
  compile: CompiledPolicies,
  account: string,
): Promise<Registry> {
  const { policy, scope } = await source.registryPolicies(account);
  return {
    policies:
      policy === undefined
        ? noPolicies
        : [compile({ name: `registry policy of ${account}`, document: policy }, "registry")],
    scope,
  };
}
