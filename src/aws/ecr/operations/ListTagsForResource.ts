/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListTagsForResource.html */
import type { ListTagsForResourceResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { findResourceTags } from "../../../registry/resource-tags.ts";
import type { Wire } from "../../operation.ts";
import { operation } from "../operation.ts";
import { repositoryOfArn, resourceArn, resourceOfArn } from "../resource-arn.ts";
import { resourceTagsShape } from "../resource-tags-shape.ts";

export const ListTagsForResource = operation({
  input: v.object({ resourceArn }),
  permission: (call, input) => ({
    action: "ecr:ListTagsForResource",
    resource: resourceOfArn(call, input.resourceArn),
  }),
  async handle(call, input): Promise<Wire<ListTagsForResourceResponse>> {
    const address = repositoryOfArn(call, input.resourceArn);
    call.request.log.repository = address.repository;
    return { tags: resourceTagsShape(await findResourceTags(call.service.registry, address)) };
  },
});
