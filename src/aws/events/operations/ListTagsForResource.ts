/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTagsForResource.html */
import type { ListTagsForResourceResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { findRule } from "../../../events/rules.ts";
import { arn, operation, ruleOfArn } from "../operation.ts";

export const ListTagsForResource = operation({
  input: v.object({ ResourceARN: arn }),
  permission: (_call, input) => ({
    action: "events:ListTagsForResource",
    resource: input.ResourceARN,
  }),
  async handle(call, input): Promise<ListTagsForResourceResponse> {
    const name = ruleOfArn(call, input.ResourceARN);
    const { read } = call.service.registry.metadata;
    const { tags } = await findRule(read, call.principal.account, name);
    return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
  },
});
