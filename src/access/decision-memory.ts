/**
 * What was found out about an action of a principal on a resource, until a policy changes. It is
 * kept as long as the object that stands for the principal is in use, which is as long as its
 * verified credentials are trusted.
 */
import type { Decision, Permission, Principal } from "./access.ts";
import type { AuditSubject } from "./audit.ts";
import type { DecisionStatements } from "./decision.ts";
import type { Collected } from "./policy-collection.ts";

export interface Remembered {
  readonly collected: Collected;
  readonly statements: DecisionStatements;
  /** When no condition and no variable asked anything of the request. */
  readonly decision: Decision | undefined;
  /** For the audit, when it is allowed. */
  readonly allowed: AuditSubject;
}

export interface DecisionMemory {
  get(principal: Principal, permission: Permission): Remembered | undefined;
  set(principal: Principal, permission: Permission, remembered: Remembered): void;
  forgetAll(): void;
}

/** Of one action of one principal. Who asks for more begins anew, which costs little. */
const resourcesLimit = 1000;

export function decisionMemory(): DecisionMemory {
  /** Then by action, then by resource. */
  let principals = new WeakMap<Principal, Map<string, Map<string, Remembered>>>();
  return {
    get: (principal, { action, resource }) => principals.get(principal)?.get(action)?.get(resource),
    set(principal, { action, resource }, remembered) {
      let actions = principals.get(principal);
      if (actions === undefined) {
        actions = new Map();
        principals.set(principal, actions);
      }
      let resources = actions.get(action);
      if (resources === undefined || resources.size >= resourcesLimit) {
        resources = new Map();
        actions.set(action, resources);
      }
      resources.set(resource, remembered);
    },
    forgetAll() {
      principals = new WeakMap();
    },
  };
}
