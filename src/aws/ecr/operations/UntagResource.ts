/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UntagResource.html */
import type { UntagResourceResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { removeResourceTags } from "../../../registry/resource-tags.ts";
import type { Wire } from "../../operation.ts";
import { operation } from "../operation.ts";
import { repositoryOfArn, resourceArn, resourceOfArn } from "../resource-arn.ts";

export const UntagResource = operation({
  input: v.object({
    resourceArn,
    tagKeys: v.pipe(
      v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(128))),
      v.maxLength(200),
    ),
  }),
  permission: (call, input) => ({
    action: "ecr:UntagResource",
    resource: resourceOfArn(call, input.resourceArn),
    conditions: input.tagKeys.length === 0 ? {} : { "aws:TagKeys": input.tagKeys },
  }),
  async handle(call, input): Promise<Wire<UntagResourceResponse>> {
    const address = repositoryOfArn(call, input.resourceArn);
    call.request.log.repository = address.repository;
    await removeResourceTags(call.service.registry, address, input.tagKeys);
    return {};
  },
});
