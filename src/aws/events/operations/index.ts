/** Every operation of EventBridge that is here, by its name. */
import type { EventsContext } from "../../../events/connections.ts";
import type { Operation } from "../../operation.ts";
import { CreateApiDestination } from "./CreateApiDestination.ts";
import { CreateConnection } from "./CreateConnection.ts";
import { DeleteApiDestination } from "./DeleteApiDestination.ts";
import { DeleteConnection } from "./DeleteConnection.ts";
import { DeleteRule } from "./DeleteRule.ts";
import { DescribeApiDestination } from "./DescribeApiDestination.ts";
import { DescribeConnection } from "./DescribeConnection.ts";
import { DescribeEventBus } from "./DescribeEventBus.ts";
import { DescribeRule } from "./DescribeRule.ts";
import { DisableRule } from "./DisableRule.ts";
import { EnableRule } from "./EnableRule.ts";
import { ListApiDestinations } from "./ListApiDestinations.ts";
import { ListConnections } from "./ListConnections.ts";
import { ListEventBuses } from "./ListEventBuses.ts";
import { ListRuleNamesByTarget } from "./ListRuleNamesByTarget.ts";
import { ListRules } from "./ListRules.ts";
import { ListTagsForResource } from "./ListTagsForResource.ts";
import { ListTargetsByRule } from "./ListTargetsByRule.ts";
import { PutEvents } from "./PutEvents.ts";
import { PutRule } from "./PutRule.ts";
import { PutTargets } from "./PutTargets.ts";
import { RemoveTargets } from "./RemoveTargets.ts";
import { TagResource } from "./TagResource.ts";
import { TestEventPattern } from "./TestEventPattern.ts";
import { UntagResource } from "./UntagResource.ts";
import { UpdateApiDestination } from "./UpdateApiDestination.ts";
import { UpdateConnection } from "./UpdateConnection.ts";

export const operations: Readonly<Record<string, Operation<EventsContext>>> = {
  CreateApiDestination,
  CreateConnection,
  DeleteApiDestination,
  DeleteConnection,
  DeleteRule,
  DescribeApiDestination,
  DescribeConnection,
  DescribeEventBus,
  DescribeRule,
  DisableRule,
  EnableRule,
  ListApiDestinations,
  ListConnections,
  ListEventBuses,
  ListRuleNamesByTarget,
  ListRules,
  ListTagsForResource,
  ListTargetsByRule,
  PutEvents,
  PutRule,
  PutTargets,
  RemoveTargets,
  TagResource,
  TestEventPattern,
  UntagResource,
  UpdateApiDestination,
  UpdateConnection,
};
