/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TagResource.html */
import * as v from "valibot";
import { changeRuleTags } from "../../../events/rules.ts";
import { addressOf, arn, operation, ruleOfArn, tagList, tagsOf } from "../operation.ts";

export const TagResource = operation({
  input: v.object({ ResourceARN: arn, Tags: tagList }),
  permission: (_call, input) => ({ action: "events:TagResource", resource: input.ResourceARN }),
  async handle(call, input) {
    const rule = ruleOfArn(call, input.ResourceARN);
    const tags = tagsOf(input.Tags);
    await changeRuleTags(call.service.registry, addressOf(call, rule), (present) => ({
      ...present,
      ...tags,
    }));
    return {};
  },
});
