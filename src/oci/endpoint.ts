/** The shape of one endpoint of the OCI Distribution API. The table of all is `router.ts`. */
import type { Access, Caller, Principal } from "../access/access.ts";
import type { Puller, PullThrough } from "../pull-through/pull-through.ts";
import type { RegistryContext } from "../registry/context.ts";
import type { ErrorCode } from "../registry/errors.ts";
import type { BodyPace } from "./body.ts";
import type { ProtocolErrorName } from "./errors.ts";
import type { Query, Route } from "./path.ts";

export interface OciSettings {
  /** Put before the locations handed out; absent: they are relative. */
  readonly locationBaseUrl?: string;
  /** Most names on one page of tags. */
  readonly tagsPageLimit: number;
  /** Most names on one page of the catalogue, and how many without `n`. */
  readonly catalogPageLimit: number;
  readonly catalogPageDefault: number;
  /** A client that sends nothing of its body for so long is given up, before twice as long. */
  readonly bodyStallMilliseconds: number;
}

export const defaultOciSettings: OciSettings = {
  tagsPageLimit: 10_000,
  catalogPageLimit: 1000,
  catalogPageDefault: 100,
  bodyStallMilliseconds: 30_000,
};

export interface EndpointInput {
  readonly request: Request;
  readonly query: Query;
  readonly context: RegistryContext;
  readonly access: Access;
  readonly settings: OciSettings;
  readonly principal: Principal;
  /** The principal with what the request tells, for decisions. */
  readonly caller: Caller;
  /** ARN of the principal. */
  readonly actor: string;
  /** Repositories that are caches of an upstream; absent: there are none. */
  readonly cache: PullThrough | undefined;
  /** The caller, as the cache sees it. */
  readonly puller: Puller;
  /** How the request's body may be read. */
  readonly pace: BodyPace;
  /** The account whose registry is addressed. */
  readonly account: string;
  /** A valid repository name; empty for endpoints without one. */
  readonly repository: string;
  /** False also when the repository is there: should it go meanwhile, nobody asked for a new one. */
  readonly mayCreate: boolean;
  /** Digest, tag or upload id as in the URL, not yet checked. */
  readonly reference: string;
}

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface EndpointDocumentation {
  /** One sentence. */
  readonly summary: string;
  /** Statuses without an error, and what they mean. */
  readonly success: Readonly<Record<number, string>>;
  /** Parameters that mean something; others are ignored. */
  readonly query?: Readonly<Record<string, string>>;
  /** Besides those that every endpoint has. A test holds the endpoint to it. */
  readonly errors: readonly (ErrorCode | ProtocolErrorName)[];
}

export interface FurtherAction {
  readonly action: string;
  /** For the reference: when it is needed. */
  readonly when: string;
  isNeeded(input: Pick<EndpointInput, "request" | "query">): boolean;
}

export interface Endpoint {
  /** The row of the specification's endpoint table. */
  readonly id: string;
  /** Fixed name, for metrics and the log. */
  readonly name: string;
  readonly method: Method;
  readonly route: Route;
  /** The IAM action on the repository; absent: any authenticated principal. */
  readonly action?: string;
  /** Further actions that a request may come to: one request may do the work of several. */
  readonly furtherActions?: readonly FurtherAction[];
  /** A push to a missing repository creates it, which is an action of its own. */
  readonly createsRepository?: true;
  readonly documentation: EndpointDocumentation;
  handle(input: EndpointInput): Promise<Response>;
}
