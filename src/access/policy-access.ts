/** Access by policies: decides by what is collected about a call, and records the call. */
import type { ChangeObserver } from "../registry/context.ts";
import type { Access, Caller, Decision, Permission, RequestFacts } from "./access.ts";
import { type Audit, type AuditSubject, auditSubject } from "./audit.ts";
import type { BasicAuthentication } from "./basic-authentication.ts";
import { conditionValues, isLastingKey } from "./condition-values.ts";
import { type DecisionInput, decide, decisionStatements, denialMessage } from "./decision.ts";
import { decisionMemory, type Remembered } from "./decision-memory.ts";
import type { KeyValues } from "./policy/template.ts";
import {
  type Collected,
  type PolicyCollectionOptions,
  policyCollection,
} from "./policy-collection.ts";

export interface PolicyAccessOptions
  extends Omit<PolicyCollectionOptions, "onChange" | "onKeyChange"> {
  readonly authenticateBasic: BasicAuthentication;
  readonly audit: Audit;
  readonly region: string;
  /** `aws:PrincipalOrgID` of everybody: the accounts of an installation are one organization. */
  readonly organization?: string | undefined;
}

export interface PolicyAccess extends Access {
  /** What a decision is made from, for `portolan access explain`. */
  explainable(
    caller: Caller,
    permission: Permission,
  ): Promise<DecisionInput & Pick<Collected, "policies">>;
  /** Makes changes of policies count from their commit on. */
  readonly observer: ChangeObserver;
  /** For changes that no journal tells of. */
  forgetAll(): void;
}

const allowed: Decision = { allowed: true, message: "" };
const alreadyAllowed = Promise.resolve(allowed);

export function policyAccess(options: PolicyAccessOptions): PolicyAccess {
  const { region, organization, audit } = options;
  const memory = decisionMemory();
  /** How often something has changed. */
  let changes = 0;
  const collection = policyCollection({
    ...options,
    onChange() {
      changes++;
      memory.forgetAll();
    },
    onKeyChange: () => options.authenticateBasic.forgetAll(),
  });

  function inputOf(
    caller: Caller,
    permission: Permission,
    { collected, statements }: Pick<Remembered, "collected" | "statements">,
  ): DecisionInput {
    const values = conditionValues({ caller, permission, collected, region, organization });
    const { resourceAccount } = collected;
    return { principal: caller.principal, permission, statements, resourceAccount, values };
  }

  async function collect(caller: Caller, permission: Permission) {
    const collecting = collection.collect(caller, permission);
    const collected = collecting instanceof Promise ? await collecting : collecting;
    const statements = decisionStatements(collected.policies, caller.principal, permission);
    return { collected, statements };
  }

  function decideBy(input: DecisionInput): Decision {
    const outcome = decide(input);
    if (outcome.allowed) return allowed;
    return {
      allowed: false,
      message: denialMessage(input, outcome),
      refused: input.permission,
    };
  }

  async function remember(caller: Caller, permission: Permission): Promise<Remembered> {
    const { principal } = caller;
    const before = changes;
    const about = await collect(caller, permission);
    const input = inputOf(caller, permission, about);
    let asked = false;
    const values: KeyValues = (key) => {
      asked ||= !isLastingKey(key);
      return input.values(key);
    };
    const decision = decideBy({ ...input, values });
    const remembered = {
      ...about,
      decision: asked ? undefined : decision,
      allowed: auditSubject(principal, permission, allowed),
    };
    // What has changed meanwhile may have been collected before the change.
    if (before === changes) memory.set(principal, permission, remembered);
    return remembered;
  }

  /** What is kept may be used. A promise only when something must be collected first. */
  function recall(caller: Caller, permission: Permission): Remembered | Promise<Remembered> {
    return memory.get(caller.principal, permission) ?? remember(caller, permission);
  }

  function decisionOf(caller: Caller, permission: Permission, remembered: Remembered): Decision {
    return remembered.decision ?? decideBy(inputOf(caller, permission, remembered));
  }

  /** A call that something besides principal, action and resource belongs to is not remembered. */
  async function decideApart(caller: Caller, permission: Permission): Promise<Remembered> {
    const about = await collect(caller, permission);
    const decision = decideBy(inputOf(caller, permission, about));
    return { ...about, decision, allowed: auditSubject(caller.principal, permission, allowed) };
  }

  function find(caller: Caller, permission: Permission): Remembered | Promise<Remembered> {
    return isOrdinary(caller.request, permission)
      ? recall(caller, permission)
      : decideApart(caller, permission);
  }

  async function authorizeAll(
    caller: Caller,
    permissions: readonly Permission[],
  ): Promise<Decision> {
    const subjects: AuditSubject[] = [];
    for (const permission of permissions) {
      const finding = find(caller, permission);
      const found = finding instanceof Promise ? await finding : finding;
      const decision = decisionOf(caller, permission, found);
      if (!decision.allowed) {
        // The call as a whole is refused: what would have been allowed of it did not happen.
        const subject = auditSubject(caller.principal, permission, decision);
        await audit.record(caller.request, [subject]);
        return decision;
      }
      subjects.push(found.allowed);
    }
    await audit.record(caller.request, subjects);
    return allowed;
  }

  /** Most calls need one permission, about which all is known: nothing to wait for. */
  function authorizeNow(caller: Caller, permissions: readonly Permission[]): Promise<Decision> {
    const [permission, second] = permissions;
    if (permission !== undefined && second === undefined) {
      const found = find(caller, permission);
      if (!(found instanceof Promise) && decisionOf(caller, permission, found).allowed) {
        const recorded = audit.record(caller.request, [found.allowed]);
        return recorded === undefined ? alreadyAllowed : recorded.then(() => allowed);
      }
    }
    return authorizeAll(caller, permissions);
  }

  return {
    authenticateBasic(authorization) {
      const following = collection.follow();
      return following === undefined
        ? options.authenticateBasic(authorization)
        : following.then(() => options.authenticateBasic(authorization));
    },
    async decide(request) {
      const following = collection.follow();
      if (following !== undefined) await following;
      return decisionOf(request, request, await find(request, request));
    },
    authorize(caller, permissions) {
      const following = collection.follow();
      return following === undefined
        ? authorizeNow(caller, permissions)
        : following.then(() => authorizeNow(caller, permissions));
    },
    async explainable(caller, permission) {
      await collection.follow();
      const about = await collect(caller, permission);
      return { ...inputOf(caller, permission, about), policies: about.collected.policies };
    },
    observer: collection.observer,
    forgetAll: collection.forgetAll,
  };
}

function isOrdinary({ endpoint }: RequestFacts, permission: Permission): boolean {
  const { account, trustPolicy, conditions } = permission;
  return (
    endpoint === undefined &&
    account === undefined &&
    trustPolicy === undefined &&
    conditions === undefined
  );
}
