/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html */
import type { DescribeEventBusResponse } from "@aws-sdk/client-eventbridge";
import * as v from "valibot";
import { busArn, eventBus, operation, requireDefaultBus } from "../operation.ts";

export const DescribeEventBus = operation({
  input: v.object({ Name: eventBus }),
  permission: (call) => ({ action: "events:DescribeEventBus", resource: busArn(call) }),
  async handle(call, input): Promise<DescribeEventBusResponse> {
    requireDefaultBus(call, input.Name);
    return { Name: "default", Arn: busArn(call) };
  },
});
