/** Resource tags as Amazon ECR takes and answers them. */
import type { Tag } from "@aws-sdk/client-ecr";
import type { ConditionKeys } from "../../access/access.ts";
import type { ResourceTags } from "../../registry/resource-tags.ts";

interface TagInput {
  readonly Key: string;
  readonly Value: string;
}

export function resourceTagsOf(tags: readonly TagInput[]): { key: string; value: string }[] {
  return tags.map(({ Key, Value }) => ({ key: Key, value: Value }));
}

export function resourceTagsShape(tags: ResourceTags): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** `aws:RequestTag/<key>` and `aws:TagKeys`. */
export function requestTagConditions(tags: readonly TagInput[]): ConditionKeys {
  if (tags.length === 0) return {};
  return {
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    "aws:TagKeys": tags.map(({ Key }) => Key),
  };
}
