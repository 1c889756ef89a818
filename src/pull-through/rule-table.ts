/**
 * The pull-through cache rules of each account in memory: every pull asks for them. A change by this
 * process is seen at its commit, one by another node within a second.
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import type { ChangeObserver } from "../registry/context.ts";
import {
  listPullThroughRules,
  type NamedPullThroughRule,
  pullThroughRuleKind,
} from "../registry/pull-through-rules.ts";
import type { Clock } from "../runtime/clock.ts";

export interface RuleTable {
  readonly observer: ChangeObserver;
  /** Not a promise when they are known, which is nearly always. */
  rulesOf(
    account: string,
  ): readonly NamedPullThroughRule[] | Promise<readonly NamedPullThroughRule[]>;
}

const freshMilliseconds = 1000;
/** Accounts are few; a bound all the same. */
const accountsLimit = 10_000;

export function ruleTable(db: Queryable, clock: Pick<Clock, "now">): RuleTable {
  const known = new Map<string, { rules: readonly NamedPullThroughRule[]; readAt: number }>();

  async function read(account: string): Promise<readonly NamedPullThroughRule[]> {
    const readAt = clock.now();
    const rules = await listPullThroughRules(db, account);
    if (known.size >= accountsLimit) known.clear();
    known.set(account, { rules, readAt });
    return rules;
  }

  return {
    async observer(tx, { account, detail }) {
      if (detail?.kind !== pullThroughRuleKind.kind) return;
      tx.afterCommit(() => known.delete(account));
    },
    rulesOf(account) {
      const entry = known.get(account);
      const age = entry === undefined ? -1 : clock.now() - entry.readAt;
      return entry !== undefined && age >= 0 && age < freshMilliseconds
        ? entry.rules
        : read(account);
    },
  };
}
