/**
 * Access by policies: collects what concerns a request, decides, and records the call. What is
 * collected is remembered, so that an ordinary decision touches no database and waits for nothing.
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import type { ChangeObserver } from "../registry/context.ts";
import { accountSettingKind, registryPolicyKind } from "../registry/policy-kinds.ts";
import { repositoryPolicyKind, repositoryTagsKind } from "../registry/repository-documents.ts";
import type { Clock } from "../runtime/clock.ts";
import type {
  Access,
  AccessRequest,
  Authentication,
  Caller,
  Decision,
  Permission,
} from "./access.ts";
import type { Audit, AuditRecord } from "./audit.ts";
import { type CompiledPolicies, compiledPolicies } from "./compiled-policies.ts";
import { conditionValues } from "./condition-values.ts";
import { type DecisionInput, decide, denialMessage, type Outcome } from "./decision.ts";
import { type ChangedDocument, documentChanges } from "./document-changes.ts";
import { registryPolicyActionsV1 } from "./ecr-actions.ts";
import type { CompiledPolicy } from "./policy/compile-policy.ts";
import { policyCache } from "./policy-cache.ts";
import type { PolicySource, RegistryPolicyScope } from "./policy-source.ts";

export interface PolicyAccessOptions {
  readonly authenticateBasic: (authorization: string | null) => Promise<Authentication>;
  readonly source: PolicySource;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly region: string;
  /** `aws:PrincipalOrgID` of everybody: the accounts of an installation are one organization. */
  readonly organization?: string | undefined;
  /** Where changes by other processes and nodes are seen; absent: there are none. */
  readonly journal?: Queryable;
  /** How long such a change may go unseen. */
  readonly freshMilliseconds?: number;
}

export interface PolicyAccess extends Access {
  /** What a decision is made from, for `portolan access explain`. */
  collect(request: AccessRequest): Promise<DecisionInput>;
  /** Makes changes of policies count from their commit on. */
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

const allowed: Decision = { allowed: true, message: "" };
const noTags: Readonly<Record<string, string>> = {};
const noRepository: Repository = { policies: [], tags: noTags };
const noRegistry: Registry = { policies: [], scope: "V2" };
const entriesLimit = 50_000;

export function policyAccess(options: PolicyAccessOptions): PolicyAccess {
  const { source, region, organization, audit } = options;
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

  const forget = ({ account, kind, name }: ChangedDocument) => {
    if (repositoryKinds.has(kind)) repositories.forget(`${account}/${name}`);
    else if (registryKinds.has(kind)) registries.forget(account);
    else identities.forgetAll();
  };
  const forgetAll = () => {
    for (const cache of [identities, repositories, registries]) cache.forgetAll();
  };
  const changes =
    options.journal &&
    documentChanges({
      journal: options.journal,
      clock: options.clock,
      freshMilliseconds: options.freshMilliseconds ?? 1000,
      onChange: forget,
      onMany: forgetAll,
    });

  function collect(request: AccessRequest): DecisionInput | Promise<DecisionInput> {
    const following = changes?.follow();
    return following === undefined
      ? collectNow(request)
      : following.then(() => collectNow(request));
  }

  function collectNow(request: AccessRequest): DecisionInput | Promise<DecisionInput> {
    const { principal, resource } = request;
    const target = targetOf(resource);
    const resourceAccount = target?.account ?? request.account ?? principal.account;
    const isEcr = request.action.startsWith("ecr:");
    const repositoryKey = target?.repository && `${target.account}/${target.repository}`;
    const identity = principal.kind === "root" ? undefined : identities.get(principal.identityArn);
    const repository =
      isEcr && repositoryKey !== undefined ? repositories.get(repositoryKey) : noRepository;
    const registry = isEcr ? registries.get(resourceAccount) : noRegistry;
    if (
      identity instanceof Promise ||
      repository instanceof Promise ||
      registry instanceof Promise
    ) {
      return Promise.all([identity, repository, registry]).then((found) =>
        inputOf(request, resourceAccount, ...found),
      );
    }
    return inputOf(request, resourceAccount, identity, repository, registry);
  }

  function inputOf(
    request: AccessRequest,
    resourceAccount: string,
    identity: Identity | undefined,
    repository: Repository,
    registry: Registry,
  ): DecisionInput {
    const { principal, trustPolicy } = request;
    const isRoot = principal.kind === "root";
    // An identity that is gone may do nothing, whatever a resource's policy says.
    const isGone = !isRoot && identity?.id !== principal.userId.split(":", 1)[0];
    const counts = registry.scope === "V2" || registryPolicyActionsV1.has(request.action);
    const sessionPolicies = principal.session?.policies ?? [];
    return {
      request,
      resourceAccount,
      policies: {
        identity: isRoot ? undefined : isGone ? [] : identity?.policies,
        boundary: identity?.boundary,
        session:
          sessionPolicies.length === 0
            ? undefined
            : sessionPolicies.map((document, index) =>
                compile({ name: `session policy ${index + 1}`, document }, "session"),
              ),
        resource: isGone
          ? []
          : counts && registry.policies.length > 0
            ? [...repository.policies, ...registry.policies]
            : repository.policies,
        trust:
          trustPolicy === undefined
            ? undefined
            : compile(
                { name: `trust policy of ${request.resource}`, document: trustPolicy },
                "trust",
              ),
        endpoint: compiledEndpointPolicy(request),
      },
      values: conditionValues({
        request,
        region,
        organization,
        resourceAccount,
        identityTags: identity?.tags ?? noTags,
        resourceTags: repository.tags,
      }),
    };
  }

  function compiledEndpointPolicy({ request }: AccessRequest): CompiledPolicy | undefined {
    const policy = source.endpointPolicy?.(request);
    return policy && compile(policy, "endpoint");
  }

  async function outcomeOf(request: AccessRequest): Promise<Outcome> {
    const input = collect(request);
    return decide(input instanceof Promise ? await input : input);
  }

  return {
    authenticateBasic: options.authenticateBasic,
    async decide(request) {
      return decisionOf(request, await outcomeOf(request));
    },
    async authorize(caller, permissions) {
      const records: AuditRecord[] = [];
      for (const permission of permissions) {
        const request = { ...caller, ...permission };
        const decision = decisionOf(request, await outcomeOf(request));
        if (!decision.allowed) {
          // The call as a whole is refused: what would have been allowed of it did not happen.
          await audit.record([auditRecord(caller, permission, decision)]);
          return decision;
        }
        records.push(auditRecord(caller, permission, decision));
      }
      const recorded = audit.record(records);
      if (recorded !== undefined) await recorded;
      return allowed;
    },
    collect: async (request) => collect(request),
    forgetAll,
    async observer(tx, change) {
      if (change.kind !== "document_set" && change.kind !== "document_deleted") return;
      const { account, detail } = change;
      const kind = String(detail?.kind);
      const name = String(detail?.name);
      tx.afterCommit(() => forget({ account, kind, name }));
    },
  };
}

const repositoryKinds = new Set([repositoryPolicyKind.kind, repositoryTagsKind.kind]);
const registryKinds = new Set([registryPolicyKind.kind, accountSettingKind.kind]);

function decisionOf(request: AccessRequest, outcome: Outcome): Decision {
  return outcome.allowed ? allowed : { allowed: false, message: denialMessage(request, outcome) };
}

function auditRecord(
  { principal, request }: Caller,
  { action, resource }: Permission,
  { allowed, message }: Decision,
): AuditRecord {
  return {
    time: request.time,
    principal: principal.arn,
    account: principal.account,
    accessKeyId: principal.accessKeyId ?? null,
    action,
    resource,
    decision: allowed ? "allowed" : "denied",
    reason: allowed ? null : message,
    requestId: request.requestId,
    sourceAddress: request.sourceAddress,
    userAgent: request.userAgent,
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
        ? []
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
        ? []
        : [compile({ name: `registry policy of ${account}`, document: policy }, "registry")],
    scope,
  };
}
