/**
 * A registry for tests: the real handler, metadata store and blob store, with a clock that the test
 * moves, one root principal, and an open journal.
 *
 *     await using registry = await openRegistry();
 *     const response = await registry.request("GET", "/v2/");
 *
 * `served-registry.ts` has the same behind a real socket, for what exists only there.
 */
import { join } from "node:path";
import type {
  Access,
  Authentication,
  Decision,
  Permission,
  Principal,
} from "../../src/access/access.ts";
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { filesystemBlobStore } from "../../src/blobs/filesystem.ts";
import { memoryBlobStore } from "../../src/blobs/memory.ts";
import { verified } from "../../src/blobs/verified.ts";
import type { MetadataStore } from "../../src/metadata/metadata-store.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import { defaultOciSettings, type OciSettings } from "../../src/oci/endpoint.ts";
import { ociHandler } from "../../src/oci/handler.ts";
import {
  defaultRegistrySettings,
  type RegistryContext,
  type RegistrySettings,
} from "../../src/registry/context.ts";
import { hybridClock } from "../../src/registry/hybrid-clock.ts";
import { keyedMutex } from "../../src/registry/keyed-mutex.ts";
import { systemRandom } from "../../src/runtime/clock.ts";
import type { Handler, RequestLogFields } from "../../src/runtime/request.ts";
import { type ManualClock, manualClock } from "./manual-clock.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export const testAccount = "111122223333";
export const testPrincipal: Principal = {
  kind: "root",
  arn: `arn:aws:iam::${testAccount}:root`,
  identityArn: `arn:aws:iam::${testAccount}:root`,
  account: testAccount,
  userId: testAccount,
};
/** What the only user sends. */
export const testAuthorization = `Basic ${btoa("root:secret")}`;

export interface TestRegistryOptions {
  /** "memory" is the default; "disk" puts database and blobs into a directory of its own. */
  readonly storage?: "memory" | "disk";
  /** Where a registry on disk was before: what a restart finds. The caller removes it. */
  readonly directory?: string;
  readonly openMetadata?: () => Promise<MetadataStore>;
  /** Puts something between the registry and the blob store, such as a slow disk. */
  readonly wrapBlobs?: (store: BlobStore) => BlobStore;
  readonly settings?: Partial<RegistrySettings>;
  readonly ociSettings?: Partial<OciSettings>;
  /** False refuses an action on a resource, as a policy will. */
  readonly allows?: (action: string, resource: string) => boolean;
  /** Instead of the one principal and `allows`. */
  readonly access?: Access;
}

export interface RequestOptions {
  readonly headers?: Record<string, string>;
  readonly body?: BodyInit | Uint8Array | null;
  /** Without the Authorization header. */
  readonly anonymous?: boolean;
}

export interface TestRegistry extends AsyncDisposable {
  readonly context: RegistryContext;
  readonly clock: ManualClock;
  readonly handler: Handler;
  /** Where database and blobs are; undefined in memory. */
  readonly directory: string | undefined;
  /** The log of the request that was answered last. */
  readonly lastLog: () => RequestLogFields;
  /** Calls the handler as a function. The path may be a location that the registry handed out. */
  request(method: string, path: string, options?: RequestOptions): Promise<Response>;
}

export async function openRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const clock = manualClock();
  const temporary =
    options.storage === "disk" && options.directory === undefined
      ? temporaryDirectory()
      : undefined;
  const directory = options.directory ?? temporary?.path;
  const metadata =
    (await options.openMetadata?.()) ??
    (await sqliteMetadataStore({
      path: directory === undefined ? ":memory:" : join(directory, "metadata.db"),
      now: clock.now(),
    }));
  const driver =
    directory === undefined
      ? memoryBlobStore()
      : await filesystemBlobStore({ root: join(directory, "store") });
  const blobs = verified(options.wrapBlobs?.(driver) ?? driver);
  const context: RegistryContext = {
    region: "us-east-1",
    metadata,
    blobs,
    clock,
    random: systemRandom,
    hybridClock: hybridClock(clock),
    settings: { ...defaultRegistrySettings, ...options.settings },
    observers: [],
    uploadMutex: keyedMutex(),
  };
  let log: RequestLogFields = {};
  const inner = ociHandler({
    context,
    access: options.access ?? testAccess(options.allows ?? (() => true)),
    settings: { ...defaultOciSettings, ...options.ociSettings },
  });
  const handler: Handler = (request, requestContext) => {
    log = requestContext.log;
    return inner(request, requestContext);
  };
  return {
    context,
    clock,
    handler,
    directory,
    lastLog: () => log,
    request(method, path, { headers, body, anonymous } = {}) {
      const request = new Request(new URL(path, "http://registry.test"), {
        method,
        headers: { ...(!anonymous && { Authorization: testAuthorization }), ...headers },
        ...(body !== undefined && { body: body as BodyInit }),
      });
      return handler(request, testRequestContext());
    },
    async [Symbol.asyncDispose]() {
      await metadata.close();
      await blobs.close();
      temporary?.remove();
    },
  };
}

export const testRequestContext = () => ({
  requestId: "test",
  clientAddress: "127.0.0.1",
  secure: false,
  log: {},
});

function testAccess(allows: (action: string, resource: string) => boolean): Access {
  const decide = async ({ action, resource }: Permission): Promise<Decision> => {
    const allowed = allows(action, resource);
    return { allowed, message: allowed ? "" : `not authorized to perform: ${action}` };
  };
  return {
    async authenticateBasic(authorization): Promise<Authentication> {
      if (authorization === null) return { failure: "missing" };
      if (!authorization.startsWith("Basic ")) return { failure: "malformed" };
      return authorization === testAuthorization
        ? { principal: testPrincipal }
        : { failure: "invalid" };
    },
    decide,
    async authorize(_caller, permissions) {
      for (const permission of permissions) {
        const decision = await decide(permission);
        if (!decision.allowed) return decision;
      }
      return { allowed: true, message: "" };
    },
  };
}
