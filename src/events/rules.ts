/**
 * Rules and their targets. EventBridge's limits.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
 */
import type { Queryable, Transaction } from "../metadata/metadata-store.ts";
import { selectDocumentForUpdate } from "../metadata/queries/documents.ts";
import { deleteLane, type LaneKey } from "../metadata/queries/event-deliveries.ts";
import type { RegistryContext } from "../registry/context.ts";
import { changeDocument, findDocument, listDocuments } from "../registry/documents.ts";
import { EventsError } from "./errors.ts";
import { checkInput } from "./input.ts";
import { EventPatternError, parseEventPattern } from "./pattern-syntax.ts";
import {
  apiDestinationKind,
  type EventRule,
  eventRuleKind,
  type RuleTarget,
} from "./rule-documents.ts";
import { parseTargetArn } from "./target-arn.ts";

export const rulesLimit = 300;
export const targetsLimit = 5;
const tagsLimit = 50;

export interface RuleAddress {
  readonly account: string;
  readonly name: string;
  /** ARN of the principal. */
  readonly actor: string;
}

export interface NamedRule {
  readonly name: string;
  readonly rule: EventRule;
}

const unknownRule = (name: string) =>
  new EventsError("unknown", `Rule ${name} does not exist on EventBus default.`);

/** @throws EventsError pattern */
export function checkPattern(text: string): void {
  try {
    parseEventPattern(text);
  } catch (error) {
    if (!(error instanceof EventPatternError)) throw error;
    throw new EventsError("pattern", `Event pattern is not valid. Reason: ${error.message}`);
  }
}

/** Makes a rule, or replaces everything of it but its targets and tags. @throws limit, pattern */
export async function putRule(
  { registry }: { readonly registry: RegistryContext },
  address: RuleAddress,
  rule: Omit<EventRule, "targets">,
): Promise<void> {
  checkPattern(rule.pattern);
  await registry.metadata.transaction(async (tx) => {
    const { account } = address;
    const { length } = await listDocuments(tx, eventRuleKind, account, { limit: rulesLimit });
    await changeDocument(registry, tx, eventRuleKind, address, (present) => {
      if (present === undefined && length >= rulesLimit) {
        throw new EventsError("limit", `The account may have at most ${rulesLimit} rules.`);
      }
      // As EventBridge: tags of a rule that is there are changed by TagResource alone.
      return { ...rule, tags: present?.tags ?? rule.tags, targets: present?.targets ?? [] };
    });
  });
}

/** @throws unknown */
export async function findRule(db: Queryable, account: string, name: string): Promise<EventRule> {
  const found = await findDocument(db, eventRuleKind, account, name);
  if (found === undefined) throw unknownRule(name);
  return found.value;
}

/** One page, in byte order of the names. */
export async function listRules(
  db: Queryable,
  account: string,
  page: { after?: string; limit: number },
): Promise<NamedRule[]> {
  const found = await listDocuments(db, eventRuleKind, account, page);
  return found.map(({ name, value }) => ({ name, rule: value }));
}

/** All rules of an account; there are at most `rulesLimit`. */
export function allRules(db: Queryable, account: string): Promise<NamedRule[]> {
  return listRules(db, account, { limit: rulesLimit });
}

/** @throws unknown, and what `change` throws */
export async function changeRule(
  registry: RegistryContext,
  address: RuleAddress,
  change: (present: EventRule, tx: Transaction) => EventRule | Promise<EventRule>,
): Promise<void> {
  await registry.metadata.transaction(async (tx) => {
    // Held before it is read: of two changes at once, the second begins with what the first made.
    await selectDocumentForUpdate(tx, address.account, eventRuleKind.kind, address.name);
    const found = await findDocument(tx, eventRuleKind, address.account, address.name);
    const next = found && (await change(found.value, tx));
    await changeDocument(registry, tx, eventRuleKind, address, (present) => {
      if (present === undefined || next === undefined) throw unknownRule(address.name);
      return next;
    });
  });
}

/** @throws unknown */
export function setRuleState(
  registry: RegistryContext,
  address: RuleAddress,
  isEnabled: boolean,
): Promise<void> {
  return changeRule(registry, address, (rule) => ({ ...rule, isEnabled }));
}

/** One that does not exist is deleted already. @throws in_use while it has targets */
export async function deleteRule(registry: RegistryContext, address: RuleAddress): Promise<void> {
  await registry.metadata.transaction((tx) =>
    changeDocument(registry, tx, eventRuleKind, address, (present) => {
      if (present !== undefined && present.targets.length > 0) {
        throw new EventsError("in_use", "Rule can't be deleted since it has targets.");
      }
      return undefined;
    }),
  );
}

/** Adds targets; one with the id of another replaces it. @throws unknown, limit, invalid */
export function putTargets(
  registry: RegistryContext,
  address: RuleAddress,
  targets: readonly RuleTarget[],
): Promise<void> {
  const own = { region: registry.region, account: address.account };
  return changeRule(registry, address, async (rule, tx) => {
    for (const target of targets) await checkTarget(tx, own, target);
    const byId = new Map(rule.targets.map((target) => [target.id, target]));
    for (const target of targets) byId.set(target.id, target);
    if (byId.size > targetsLimit) {
      throw new EventsError("limit", `A rule may have at most ${targetsLimit} targets.`);
    }
    return { ...rule, targets: [...byId.values()] };
  });
}

async function checkTarget(
  tx: Transaction,
  own: { region: string; account: string },
  target: RuleTarget,
): Promise<void> {
  const place = parseTargetArn(target.arn, own);
  const reason = (text: string) =>
    new EventsError("invalid", `Parameter ${target.arn} is not valid. Reason: ${text}`);
  if (place === undefined) {
    throw reason(
      "Provided Arn is not in correct format: targets here are API destinations, arn:aws:portolan:<region>:<account>:file/<name> and arn:aws:portolan:<region>:<account>:standard-output of this region and account.",
    );
  }
  if (place.kind === "api-destination") {
    const found = await findDocument(tx, apiDestinationKind, own.account, place.name);
    if (found?.value.arn !== target.arn) throw reason("The API destination does not exist.");
  }
  checkInput(target);
}

/** What waits for them is given up. @returns the ids that were not there @throws unknown */
export async function removeTargets(
  registry: RegistryContext,
  address: RuleAddress,
  ids: readonly string[],
): Promise<string[]> {
  let absent: string[] = [];
  await changeRule(registry, address, async (rule, tx) => {
    absent = ids.filter((id) => !rule.targets.some((target) => target.id === id));
    for (const target of ids) {
      const lane: LaneKey = { account: address.account, rule: address.name, target };
      await deleteLane(tx, lane);
    }
    return { ...rule, targets: rule.targets.filter(({ id }) => !ids.includes(id)) };
  });
  return absent;
}

/** @throws unknown, limit */
export function changeRuleTags(
  registry: RegistryContext,
  address: RuleAddress,
  change: (tags: EventRule["tags"]) => EventRule["tags"],
): Promise<void> {
  return changeRule(registry, address, (rule) => {
    const tags = change(rule.tags);
    if (Object.keys(tags).length > tagsLimit) {
      throw new EventsError("limit", `A rule may have at most ${tagsLimit} tags.`);
    }
    return { ...rule, tags };
  });
}
