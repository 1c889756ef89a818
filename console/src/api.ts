/** Calls the console's API. Every failure is an `ApiFailure`. */
import type { ApiError } from "../../src/console/api-types.ts";

export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly code: string;
  /** Of a refusal: the permission that is missing. */
  readonly action: string | undefined;
  readonly resource: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  constructor(error: ApiError) {
    super(error.message);
    this.code = error.code;
    this.action = error.action;
    this.resource = error.resource;
    this.retryAfterSeconds = error.retryAfterSeconds;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

const base = "/console/api/";
const signedOut = new EventTarget();

/** Told when the server says that the session has ended. @returns ends the telling */
export function onSignedOut(listener: () => void): () => void {
  signedOut.addEventListener("signed-out", listener);
  return () => signedOut.removeEventListener("signed-out", listener);
}

export function announceSignedOut(): void {
  signedOut.dispatchEvent(new Event("signed-out"));
}

async function call<Answer>(
  method: string,
  path: string,
  options: { body?: object; signal?: AbortSignal | undefined } = {},
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(base + path, {
      method,
      // A form of another site cannot set it.
      headers: {
        "X-Portolan-Console": "1",
        ...(options.body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
      ...(options.signal !== undefined && { signal: options.signal }),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiFailure({ code: "Unreachable", message: "The server cannot be reached." });
  }
  if (response.status === 204) return undefined as Answer;
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as Answer;
  const failure = new ApiFailure(
    errorOf(answer) ?? { code: "Unreadable", message: `The server answered ${response.status}.` },
  );
  if (failure.code === "SignInRequired" && path !== "session") announceSignedOut();
  throw failure;
}

function errorOf(answer: unknown): ApiError | undefined {
  if (typeof answer !== "object" || answer === null || !("error" in answer)) return undefined;
  const { error } = answer;
  return typeof error === "object" && error !== null && "message" in error
    ? (error as ApiError)
    : undefined;
}

export function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

export const api = {
  get: <Answer>(path: string, query: Query = {}, signal?: AbortSignal) =>
    call<Answer>("GET", withQuery(path, query), { signal }),
  post: <Answer>(path: string, body: object = {}) => call<Answer>("POST", path, { body }),
  delete: <Answer>(path: string, body: object = {}) => call<Answer>("DELETE", path, { body }),
};

/** An operation of Amazon ECR, by its name. Dates in the answer are seconds since the epoch. */
export function ecr<Answer>(operation: string, input: object = {}): Promise<Answer> {
  return api.post<Answer>(`ecr/${operation}`, input);
}

/** An operation of IAM, by its name. Policy documents in the answer are percent-encoded. */
export function iam<Answer>(operation: string, input: object = {}): Promise<Answer> {
  return api.post<Answer>(`iam/${operation}`, input);
}
