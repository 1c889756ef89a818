/** Rules with what is known of their targets, for commands and the console. */
import type { Queryable } from "../metadata/metadata-store.ts";
import { countDeadLetters } from "../metadata/queries/event-dead-letters.ts";
import { type LaneRow, selectLanes } from "../metadata/queries/event-deliveries.ts";
import { allRules } from "./rules.ts";

export interface TargetStatus {
  readonly id: string;
  readonly arn: string;
  /** Events that wait to be delivered. */
  readonly waiting: number;
  readonly deadLetters: number;
  /** Milliseconds since the epoch; undefined when nothing was delivered yet. */
  readonly deliveredAt: number | undefined;
  /** Of the last attempt, when it failed. */
  readonly failure:
    | {
        readonly code: string;
        readonly text: string;
        readonly since: number;
        readonly dueAt: number;
      }
    | undefined;
}

export interface RuleStatus {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly pattern: string;
  readonly description: string | undefined;
  readonly targets: readonly TargetStatus[];
}

export async function ruleStatuses(db: Queryable, account: string): Promise<RuleStatus[]> {
  const lanes = await selectLanes(db, account);
  const letters = (await countDeadLetters(db)).filter((row) => row.account === account);
  return (await allRules(db, account)).map(({ name, rule }) => ({
    name,
    isEnabled: rule.isEnabled,
    pattern: rule.pattern,
    description: rule.description,
    targets: rule.targets.map(({ id, arn }): TargetStatus => {
      const lane = lanes.find((row) => row.rule === name && row.target === id);
      const dead = letters.find((row) => row.rule === name && row.target === id);
      return {
        id,
        arn,
        waiting: lane?.waiting ?? 0,
        deadLetters: Number(dead?.letters ?? 0),
        deliveredAt: lane?.delivered_at ?? undefined,
        failure: lane && failureOf(lane),
      };
    }),
  }));
}

function failureOf(lane: LaneRow): TargetStatus["failure"] {
  const { failing_since: since, failure_code: code, failure_text: text, due_at: dueAt } = lane;
  return since === null ? undefined : { code: code ?? "", text: text ?? "", since, dueAt };
}
