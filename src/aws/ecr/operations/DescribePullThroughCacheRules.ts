/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribePullThroughCacheRules.html */
import type { DescribePullThroughCacheRulesResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { RegistryError } from "../../../registry/errors.ts";
import { listPullThroughRules } from "../../../registry/pull-through-rules.ts";
import type { Wire } from "../../operation.ts";
import { accountOf, onRegistry, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { cachePrefix, pullThroughRuleShape, withoutSlash } from "../pull-through-shape.ts";
import { maxResults, nextToken, optional, pageSize, registryId } from "../shapes.ts";

export const DescribePullThroughCacheRules = operation({
  input: v.object({
    registryId: optional(registryId),
    ecrRepositoryPrefixes: optional(v.pipe(v.array(cachePrefix), v.minLength(1), v.maxLength(100))),
    nextToken,
    maxResults: maxResults(),
  }),
  permission: onRegistry("DescribePullThroughCacheRules"),
  async handle(call, input): Promise<Wire<DescribePullThroughCacheRulesResponse>> {
    const account = accountOf(call, input);
    const all = await listPullThroughRules(call.service.registry.metadata.read, account);
    const shape = ({ prefix, rule }: (typeof all)[number]) =>
      pullThroughRuleShape(account, prefix, rule);
    if (input.ecrRepositoryPrefixes !== undefined) {
      const wanted = new Set(input.ecrRepositoryPrefixes.map(withoutSlash));
      const found = all.filter(({ prefix }) => wanted.has(prefix));
      for (const { prefix } of found) wanted.delete(prefix);
      const [name] = wanted;
      if (name !== undefined) {
        const setting = "pull_through_cache_rule";
        throw new RegistryError("setting_unknown", { setting, name, account });
      }
      return { pullThroughCacheRules: found.map(shape) };
    }
    const binding = ["DescribePullThroughCacheRules", account];
    const [after = ""] = readPageToken(binding, input.nextToken) ?? [];
    const rest = all.filter(({ prefix }) => prefix > after);
    const page = rest.slice(0, input.maxResults ?? pageSize);
    const last = rest.length > page.length ? page.at(-1)?.prefix : undefined;
    return {
      pullThroughCacheRules: page.map(shape),
      ...(last !== undefined && { nextToken: pageToken(binding, [last]) }),
    };
  },
});
