/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_TagResource.html */
import type { TagResourceResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { addResourceTags, checkResourceTags } from "../../../registry/resource-tags.ts";
import type { Wire } from "../../operation.ts";
import { operation } from "../operation.ts";
import { repositoryOfArn, resourceArn, resourceOfArn } from "../resource-arn.ts";
import { requestTagConditions, resourceTagsOf } from "../resource-tags-shape.ts";
import { resourceTags } from "../shapes.ts";

export const TagResource = operation({
  input: v.object({ resourceArn, tags: resourceTags }),
  permission: (call, input) => ({
    action: "ecr:TagResource",
    resource: resourceOfArn(call, input.resourceArn),
    conditions: requestTagConditions(input.tags),
  }),
  async handle(call, input): Promise<Wire<TagResourceResponse>> {
    const address = repositoryOfArn(call, input.resourceArn);
    call.request.log.repository = address.repository;
    const tags = checkResourceTags(resourceTagsOf(input.tags));
    await addResourceTags(call.service.registry, address, tags);
    return {};
  },
});
