/**
 * The events of a change: from a row of the journal to EventBridge's shapes. Pure. Kinds that are
 * not here make no event. `changeEventTable` is the table of docs/reference/events.md.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
 */
import { repositoryArn } from "../access/access.ts";
import type { ChangeRow } from "../metadata/queries/changes.ts";
import { isReplicationActor } from "../replication/actor.ts";
import { auditEvents } from "./audit-events.ts";
import {
  type DetailType,
  type EventEnvelope,
  type EventSource,
  eventId,
  eventTime,
} from "./event.ts";

export interface EventDraft {
  readonly detailType: DetailType;
  readonly source?: EventSource;
  readonly resources?: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

type Detail = Readonly<Record<string, unknown>>;
type DraftsOf = (change: ChangeRow, detail: Detail, region: string) => readonly EventDraft[];

export interface ChangeEvents {
  readonly types: readonly DetailType[];
  /** For the reference: when it is sent. */
  readonly when: string;
  readonly drafts: DraftsOf;
}

/** By the kind of the change. */
export const changeEventTable: Readonly<Record<string, ChangeEvents>> = {
  image_pushed: {
    types: ["ECR Image Action", "ECR Referrer Action", "ECR Replication Action"],
    when: "A manifest was pushed or a tag set (one event per tag). At a destination: an image has arrived.",
    drafts: (change, detail, region) =>
      isReplicationActor(change.account, change.actor)
        ? [arrival(change, detail, region)]
        : [imageAction(change, detail, "PUSH")],
  },
  tag_deleted: {
    types: ["ECR Image Action", "ECR Referrer Action"],
    when: "A tag was deleted.",
    drafts: (change, detail) => [imageAction(change, detail, "DELETE")],
  },
  image_deleted: {
    types: ["ECR Image Action", "ECR Referrer Action"],
    when: "A manifest was deleted by a client or a lifecycle policy: one event per tag, or one without a tag.",
    drafts: (change, detail) => {
      const tags = textsOf(detail.tags);
      if (tags.length === 0) return [imageAction(change, detail, "DELETE")];
      return tags.map((tag) => imageAction({ ...change, tag }, detail, "DELETE"));
    },
  },
  image_storage_class_set: {
    types: ["ECR Image Action", "ECR Referrer Action"],
    when: "An image was archived or restored.",
    drafts: (change, detail) => [
      imageAction(change, detail, "UPDATE_STORAGE_CLASS", {
        "target-storage-class": detail.storageClass,
        ...(detail.storageClass === "STANDARD" && { "last-activated-at": eventTime(change.at) }),
      }),
    ],
  },
  replication_completed: {
    types: ["ECR Replication Action"],
    when: "At the source: an image has arrived at a destination. Amazon ECR tells of it at the destination alone.",
    drafts: (change, detail, region) => [departure(change, detail, region)],
  },
  replication_failed: {
    types: ["ECR Replication Action"],
    when: "At the source: an image will not arrive without an operator or a new push.",
    drafts: (change, detail, region) => [departure(change, detail, region)],
  },
  pull_through_cache_synchronized: {
    types: ["ECR Pull Through Cache Action"],
    when: "An image of an upstream was brought in or has changed there.",
    drafts: (change, detail, region) => [pullThrough(change, detail, region)],
  },
  alarm_state_changed: {
    types: ["Portolan Alarm State Change"],
    when: "An alarm was raised or cleared.",
    drafts: (_change, detail) => [
      { detailType: "Portolan Alarm State Change", source: "portolan", detail },
    ],
  },
  ...auditEvents,
};

export function eventsOfChange(region: string, change: ChangeRow): EventEnvelope[] {
  const known = Object.hasOwn(changeEventTable, change.kind);
  const table = known ? changeEventTable[change.kind] : undefined;
  if (table === undefined) return [];
  const detail = detailOf(change);
  return table.drafts(change, detail, region).map((draft, part) => ({
    version: "0",
    id: eventId(region, change, part),
    "detail-type": draft.detailType,
    source: draft.source ?? "aws.ecr",
    account: change.account,
    time: eventTime(change.at),
    region,
    resources: draft.resources ?? [],
    detail: draft.detail,
  }));
}

function detailOf({ detail }: ChangeRow): Detail {
  return detail === null ? {} : (JSON.parse(detail) as Detail);
}

function imageAction(
  change: ChangeRow,
  detail: Detail,
  actionType: string,
  more: Detail = {},
): EventDraft {
  return {
    detailType: detail.subject === undefined ? "ECR Image Action" : "ECR Referrer Action",
    detail: {
      result: "SUCCESS",
      "repository-name": change.repository,
      "image-digest": change.digest,
      "action-type": actionType,
      ...(change.tag !== null && { "image-tag": change.tag }),
      ...mediaTypes(detail),
      ...more,
    },
  };
}

function mediaTypes(detail: Detail): Detail {
  return {
    ...(detail.manifestMediaType !== undefined && {
      "manifest-media-type": detail.manifestMediaType,
    }),
    ...(detail.artifactMediaType !== undefined && {
      "artifact-media-type": detail.artifactMediaType,
    }),
  };
}

/** At the destination, as Amazon ECR has it. */
function arrival(change: ChangeRow, detail: Detail, region: string): EventDraft {
  const source = place(detail.source);
  return {
    detailType: "ECR Replication Action",
    resources: [repositoryArn(region, change.account, change.repository)],
    detail: {
      result: "SUCCESS",
      "repository-name": change.repository,
      "image-digest": change.digest,
      "source-account": source.account,
      "action-type": "REPLICATE",
      "source-region": source.region,
      ...(change.tag !== null && { "image-tag": change.tag }),
      "portolan-side": "destination",
    },
  };
}

/** At the source: ours. Members that Amazon ECR does not have begin with `portolan-`. */
function departure(change: ChangeRow, detail: Detail, region: string): EventDraft {
  const destination = place(detail.destination);
  const failure = detail.failure as Detail | undefined;
  return {
    detailType: "ECR Replication Action",
    resources: [repositoryArn(region, change.account, change.repository)],
    detail: {
      result: failure === undefined ? "SUCCESS" : "FAILED",
      "repository-name": change.repository,
      "image-digest": change.digest,
      "source-account": change.account,
      "action-type": "REPLICATE",
      "source-region": region,
      ...(change.tag !== null && { "image-tag": change.tag }),
      "portolan-side": "source",
      "portolan-destination-region": destination.region,
      "portolan-destination-account": destination.account,
      ...(failure !== undefined && {
        "portolan-failure-code": failure.code,
        "portolan-failure-side": failure.side,
        "portolan-failure-text": failure.text,
      }),
    },
  };
}

function pullThrough(change: ChangeRow, detail: Detail, region: string): EventDraft {
  const { repository } = change;
  const suffix = `/${String(detail.upstreamRepository)}`;
  const prefix = repository.endsWith(suffix)
    ? repository.slice(0, -suffix.length)
    : (repository.split("/")[0] ?? repository);
  return {
    detailType: "ECR Pull Through Cache Action",
    resources: [repositoryArn(region, change.account, repository)],
    detail: {
      "rule-version": "1",
      "sync-status": "SUCCESS",
      "ecr-repository-prefix": prefix,
      "repository-name": repository,
      "upstream-registry-url": detail.upstream,
      ...(change.tag !== null && { "image-tag": change.tag }),
      "image-digest": change.digest,
    },
  };
}

function place(value: unknown): { region?: unknown; account?: unknown } {
  return typeof value === "object" && value !== null ? value : {};
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((member) => typeof member === "string") : [];
}
