/** Begins an upload; or mounts a blob of another repository; or takes a whole blob at once. */
import { repositoryArn } from "../../access/access.ts";
import {
  type DigestAlgorithm,
  digestAlgorithm,
  digestAlgorithms,
  parseDigest,
} from "../../image/digest.ts";
import { isRepositoryName } from "../../image/reference.ts";
import { cancelUpload } from "../../registry/cancel-upload.ts";
import { RegistryError } from "../../registry/errors.ts";
import { finishUpload } from "../../registry/finish-upload.ts";
import { mountBlob } from "../../registry/mount-blob.ts";
import { startUpload } from "../../registry/start-upload.ts";
import type { Endpoint, EndpointInput } from "../endpoint.ts";
import { bodyErrors } from "../errors.ts";
import { requireDigest, uploadChunk } from "../input.ts";
import { blobLocation, uploadLocation } from "../locations.ts";
import type { Query } from "../path.ts";

export const startUploadEndpoint: Endpoint = {
  id: "end-4a, end-4b, end-4c, end-11",
  name: "start-upload",
  method: "POST",
  route: "uploads",
  action: "ecr:InitiateLayerUpload",
  furtherActions: ["ecr:UploadLayerPart", "ecr:CompleteLayerUpload"].map((action) => ({
    action,
    when: "the request has the whole blob",
    isNeeded: ({ query }) => isWhole(query),
  })),
  createsRepository: true,
  documentation: {
    summary:
      "Begins an upload; with `digest` takes a whole blob at once; with `mount` links a blob of another repository.",
    success: {
      201: "the blob is in the repository: sent at once, or mounted",
      202: "an upload has begun, also when a mount was not possible",
    },
    query: {
      digest: "the body is the whole blob",
      "digest-algorithm": "sha256 or sha512: what the upload will end with, if not sha256",
      mount: "the digest of a blob that may be in another repository",
      from: "that repository; without it any one that the caller may pull from",
    },
    errors: [
      "digest_invalid",
      "digest_mismatch",
      "parameter_invalid",
      "size_invalid",
      "blob_too_large",
      "uploads_too_many",
      "repository_unknown",
      ...bodyErrors,
    ],
  },
  async handle(input) {
    const { query, context, account, repository, actor, mayCreate } = input;
    const mounted = query.get("mount") === undefined ? undefined : await mount(input);
    if (mounted !== undefined) return mounted;
    if (isWhole(query)) return push(input);
    const algorithm = requireAlgorithm(query.get("digest-algorithm"));
    const uploadId = await startUpload(context, {
      account,
      repository,
      actor,
      mayCreate,
      ...(algorithm !== undefined && { algorithm }),
    });
    return new Response(null, {
      status: 202,
      headers: {
        "Content-Length": "0",
        "Docker-Upload-UUID": uploadId,
        Location: uploadLocation(repository, uploadId),
        Range: "0-0",
      },
    });
  },
};

/** The request has the whole blob and names its digest. */
function isWhole(query: Query): boolean {
  return query.get("mount") === undefined && query.get("digest") !== undefined;
}

/** Whatever stands in the way of a mount, the answer is an ordinary upload session, never an error. */
async function mount(input: EndpointInput): Promise<Response | undefined> {
  const { query, context, access, caller, account, repository, actor, mayCreate } = input;
  const digest = parseDigest(query.get("mount") ?? "");
  const from = query.get("from");
  if (digest === undefined || (from !== undefined && !isRepositoryName(from))) return undefined;
  const mounted = await mountBlob(context, {
    account,
    repository,
    actor,
    mayCreate,
    digest,
    ...(from !== undefined && { from }),
    async mayPull(source) {
      const permission = {
        action: "ecr:GetDownloadUrlForLayer",
        resource: repositoryArn(context.region, account, source),
      };
      // Looking for a source is no call; taking the one that was named is.
      const decision =
        from === undefined
          ? await access.decide({ ...caller, ...permission })
          : await access.authorize(caller, [permission]);
      return decision.allowed;
    },
  });
  return mounted ? created(repository, digest) : undefined;
}

/** The whole blob in the one request. */
async function push(input: EndpointInput): Promise<Response> {
  const { query, request, context, pace, account, repository, actor, mayCreate } = input;
  const digest = requireDigest(query.get("digest"));
  const whole = uploadChunk(request, pace);
  if (whole.start !== undefined && whole.start !== 0) {
    // A 416 would send the client to a session that does not exist.
    throw new RegistryError("parameter_invalid", {
      parameter: "Content-Range",
      reason: "a blob that is sent at once begins at 0",
    });
  }
  const uploadId = await startUpload(context, {
    account,
    repository,
    actor,
    mayCreate,
    algorithm: digestAlgorithm(digest),
  });
  const upload = { account, repository, uploadId };
  try {
    await finishUpload(context, upload, digest, whole);
  } catch (error) {
    // The client does not know the session: nobody else would ever end it.
    await cancelUpload(context, upload).catch((secondError: unknown) => {
      if (!(secondError instanceof RegistryError)) throw secondError;
    });
    throw error;
  }
  return created(repository, digest);
}

export function created(repository: string, digest: string): Response {
  return new Response(null, {
    status: 201,
    headers: {
      "Content-Length": "0",
      "Docker-Content-Digest": digest,
      Location: blobLocation(repository, digest),
    },
  });
}

function requireAlgorithm(text: string | undefined): DigestAlgorithm | undefined {
  if (text === undefined) return undefined;
  const algorithm = digestAlgorithms.find((name) => name === text);
  if (algorithm === undefined) {
    throw new RegistryError("digest_invalid", {
      digest: text.slice(0, 64),
      reason: "the digest algorithm is not supported: use sha256 or sha512",
    });
  }
  return algorithm;
}
