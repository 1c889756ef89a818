/** Reads a lifecycle policy's JSON and finds out whether it is good, rule by rule and all together. */
import * as v from "valibot";
import { RegistryError } from "../errors.ts";
import type { LifecycleRule } from "./policy.ts";

export const lifecyclePolicyLengthLimits = { least: 100, most: 30_720 } as const;
const rulesLimit = 50;
const wildcardsLimit = 4;
const archiveDays = 90;
const patternsLimit = 100;

const tagList = v.optional(
  v.pipe(
    v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(300))),
    v.minLength(1),
    v.maxLength(patternsLimit),
  ),
);

const ruleSchema = v.strictObject({
  rulePriority: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1)),
  description: v.optional(v.pipe(v.string(), v.maxLength(256))),
  selection: v.strictObject({
    tagStatus: v.picklist(["tagged", "untagged", "any"]),
    tagPatternList: tagList,
    tagPrefixList: tagList,
    storageClass: v.optional(v.picklist(["standard", "archive"]), "standard"),
    countType: v.picklist([
      "imageCountMoreThan",
      "sinceImagePushed",
      "sinceImagePulled",
      "sinceImageTransitioned",
    ]),
    countUnit: v.optional(v.picklist(["days"])),
    countNumber: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1)),
  }),
  action: v.strictObject({
    type: v.picklist(["expire", "transition"]),
    targetStorageClass: v.optional(v.picklist(["archive"])),
  }),
});

const policySchema = v.strictObject({
  rules: v.pipe(v.array(ruleSchema), v.minLength(1), v.maxLength(rulesLimit)),
});

type RuleInput = v.InferOutput<typeof ruleSchema>;

/**
 * @param parameter the name of the input that the text came in
 * @returns the rules in the order of their priorities
 * @throws parameter_invalid
 */
export function readLifecyclePolicy(
  text: string,
  parameter = "LifecyclePolicyText",
): LifecycleRule[] {
  const invalid = (reason: string) =>
    new RegistryError("parameter_invalid", {
      parameter,
      reason: `Lifecycle policy validation failure: ${reason}`,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid("the policy is not JSON");
  }
  const parsed = v.safeParse(policySchema, json, { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw invalid(`${v.getDotPath(issue) ?? "policy"}: ${issue.message}`);
  }
  for (const rule of parsed.output.rules) {
    const fault = faultOf(rule);
    if (fault !== undefined) throw invalid(`rule ${rule.rulePriority}: ${fault}`);
  }
  const rules = parsed.output.rules.map(ruleOf).sort((a, b) => a.priority - b.priority);
  const fault = faultTogether(rules, parsed.output.rules);
  if (fault !== undefined) throw invalid(fault);
  return rules;
}

function faultOf({ selection, action }: RuleInput): string | undefined {
  const { tagStatus, tagPatternList, tagPrefixList, countType, countUnit, countNumber } = selection;
  const lists = [tagPatternList, tagPrefixList].filter((list) => list !== undefined);
  if (tagStatus === "tagged" && lists.length !== 1) {
    return "tagStatus tagged needs either tagPatternList or tagPrefixList";
  }
  if (tagStatus !== "tagged" && lists.length > 0) return `tagStatus ${tagStatus} takes no tag list`;
  for (const pattern of tagPatternList ?? []) {
    if (pattern.split("*").length - 1 > wildcardsLimit) {
      return `a tag pattern may have at most ${wildcardsLimit} wildcards`;
    }
  }
  const byTime = countType !== "imageCountMoreThan";
  if (byTime && countUnit === undefined) return `countType ${countType} needs countUnit`;
  if (!byTime && countUnit !== undefined) return `countType ${countType} takes no countUnit`;
  const transition = action.type === "transition";
  if (transition !== (action.targetStorageClass !== undefined)) {
    return "targetStorageClass belongs to the action transition, and it needs one";
  }
  if (transition && selection.storageClass === "archive") return "the images are archived already";
  if (countType === "sinceImagePulled" && !transition) {
    return "countType sinceImagePulled is for the action transition";
  }
  if (countType === "sinceImageTransitioned") {
    if (selection.storageClass !== "archive") {
      return "countType sinceImageTransitioned is for the storage class archive";
    }
    if (countNumber < archiveDays) return `archived images stay for at least ${archiveDays} days`;
  }
  return undefined;
}

function ruleOf({ rulePriority, selection, action }: RuleInput): LifecycleRule {
  const { tagStatus, tagPatternList, tagPrefixList, countType, countNumber } = selection;
  return {
    priority: rulePriority,
    tagStatus,
    // In a prefix a star stands for itself; no tag has one, so such a prefix matches nothing.
    tagPatterns:
      tagPatternList ??
      tagPrefixList?.map((prefix) => (prefix.includes("*") ? "\u0000" : `${prefix}*`)) ??
      [],
    storageClass: selection.storageClass === "archive" ? "ARCHIVE" : "STANDARD",
    countType,
    countNumber,
    action: action.type === "expire" ? "expire" : "archive",
  };
}

function faultTogether(
  rules: readonly LifecycleRule[],
  inputs: readonly RuleInput[],
): string | undefined {
  if (new Set(rules.map(({ priority }) => priority)).size < rules.length) {
    return "rulePriority must be unique";
  }
  for (const storageClass of ["STANDARD", "ARCHIVE"] as const) {
    const own = rules.filter((rule) => rule.storageClass === storageClass);
    const any = own.findIndex(({ tagStatus }) => tagStatus === "any");
    if (any !== -1 && any !== own.length - 1) {
      return "the rule with tagStatus any must have the highest rulePriority";
    }
    if (own.filter(({ tagStatus }) => tagStatus === "untagged").length > 1) {
      return "there may be one rule with tagStatus untagged";
    }
    const name = storageClass === "ARCHIVE" ? "archive" : "standard";
    const prefixes = inputs.flatMap(({ selection }) =>
      selection.storageClass === name && selection.tagPrefixList !== undefined
        ? [JSON.stringify([...new Set(selection.tagPrefixList)].sort())]
        : [],
    );
    if (new Set(prefixes).size < prefixes.length) return "tagPrefixList must be unique";
  }
  return undefined;
}
