/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UntagResource.html */
import * as v from "valibot";
import { changeRuleTags } from "../../../events/rules.ts";
import { addressOf, arn, operation, ruleOfArn } from "../operation.ts";

export const UntagResource = operation({
  input: v.object({
    ResourceARN: arn,
    TagKeys: v.pipe(
      v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(128))),
      v.maxLength(200),
    ),
  }),
  permission: (_call, input) => ({ action: "events:UntagResource", resource: input.ResourceARN }),
  async handle(call, input) {
    const rule = ruleOfArn(call, input.ResourceARN);
    await changeRuleTags(call.service.registry, addressOf(call, rule), (present) =>
      Object.fromEntries(Object.entries(present).filter(([key]) => !input.TagKeys.includes(key))),
    );
    return {};
  },
});
