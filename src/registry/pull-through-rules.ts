/**
 * Pull-through cache rules: which repositories of a registry are filled from an upstream registry.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import type { RegistryContext } from "./context.ts";
import type { Actor } from "./create-repository.ts";
import { changeDocument, documentKind, listDocuments } from "./documents.ts";
import { RegistryError } from "./errors.ts";

export interface PullThroughRule {
  /** The upstream's host, as AWS calls its URL: `registry-1.docker.io`, `127.0.0.1:5000`. */
  readonly upstreamRegistryUrl: string;
  /** AWS's name of the upstream; absent for one that AWS does not know. */
  readonly upstreamRegistry?: string | undefined;
  /** Put before the name at the upstream; ROOT puts nothing. */
  readonly upstreamRepositoryPrefix: string;
  readonly credentialArn?: string | undefined;
  readonly customRoleArn?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface NamedPullThroughRule {
  /** Without a slash at its end; ROOT takes every repository that no other rule takes. */
  readonly prefix: string;
  readonly rule: PullThroughRule;
}

/** Name: the prefix of the repositories here. */
export const pullThroughRuleKind = documentKind<PullThroughRule>(
  "pull-through-cache-rule",
  "region",
);
export const rootPrefix = "ROOT";
/** ECR's quota. */
export const pullThroughRulesLimit = 50;

export interface RuleAddress extends Actor {
  readonly account: string;
  readonly prefix: string;
}

/** @throws setting_exists, limit_exceeded */
export async function createPullThroughRule(
  context: RegistryContext,
  { account, prefix, actor }: RuleAddress,
  rule: PullThroughRule,
): Promise<void> {
  await context.metadata.transaction(async (tx) => {
    const { length } = await listPullThroughRules(tx, account);
    const target = { account, name: prefix, actor };
    await changeDocument(context, tx, pullThroughRuleKind, target, (present) => {
      if (present !== undefined) {
        const setting = "pull_through_cache_rule";
        throw new RegistryError("setting_exists", { setting, name: prefix, account });
      }
      if (length >= pullThroughRulesLimit) {
        const what = "pull through cache rules";
        throw new RegistryError("limit_exceeded", { what, limit: pullThroughRulesLimit });
      }
      return rule;
    });
  });
}

/** @throws setting_unknown */
export async function updatePullThroughRule(
  context: RegistryContext,
  { account, prefix, actor }: RuleAddress,
  change: (present: PullThroughRule) => PullThroughRule,
): Promise<PullThroughRule> {
  const updated: PullThroughRule[] = [];
  await context.metadata.transaction((tx) =>
    changeDocument(
      context,
      tx,
      pullThroughRuleKind,
      { account, name: prefix, actor },
      (present) => {
        if (present === undefined) throw unknownRule(account, prefix);
        const rule = change(present);
        updated.push(rule);
        return rule;
      },
    ),
  );
  const [rule] = updated.slice(-1);
  if (rule === undefined) throw unknownRule(account, prefix);
  return rule;
}

function unknownRule(account: string, prefix: string): RegistryError {
  return new RegistryError("setting_unknown", {
    setting: "pull_through_cache_rule",
    name: prefix,
    account,
  });
}

/** All of a registry, in byte order of their prefixes. */
export async function listPullThroughRules(
  db: Queryable,
  account: string,
): Promise<NamedPullThroughRule[]> {
  const documents = await listDocuments(db, pullThroughRuleKind, account, {
    limit: pullThroughRulesLimit + 1,
  });
  return documents.map(({ name, value }) => ({ prefix: name, rule: value }));
}

export interface UpstreamRepository {
  readonly rule: NamedPullThroughRule;
  /** The repository's name at the upstream. */
  readonly name: string;
}

/** What a repository is a cache of: the longest prefix wins, ROOT comes last. */
export function upstreamOf(
  rules: readonly NamedPullThroughRule[],
  repository: string,
): UpstreamRepository | undefined {
  let found: NamedPullThroughRule | undefined;
  for (const candidate of rules) {
    const { prefix } = candidate;
    const takes = prefix === rootPrefix || repository.startsWith(`${prefix}/`);
    const length = (rule: NamedPullThroughRule) =>
      rule.prefix === rootPrefix ? 0 : rule.prefix.length;
    if (takes && (found === undefined || length(candidate) > length(found))) found = candidate;
  }
  if (found === undefined) return undefined;
  const rest = found.prefix === rootPrefix ? repository : repository.slice(found.prefix.length + 1);
  const { upstreamRepositoryPrefix } = found.rule;
  const name =
    upstreamRepositoryPrefix === rootPrefix ? rest : `${upstreamRepositoryPrefix}/${rest}`;
  return { rule: found, name };
}
