/** Signing in and out, and acting in a role. */
import * as v from "valibot";
import type { SessionAnswer } from "../api-types.ts";
import { type ConsoleCall, defineEndpoint, defineOpenEndpoint } from "../endpoint.ts";
import { ConsoleError } from "../errors.ts";
import { clearCookie, setCookie } from "../session-cookie.ts";

const nothing = v.object({});
const bounded = (limit: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(limit));

export const signIn = defineOpenEndpoint({
  name: "console.sign-in",
  method: "POST",
  path: "session",
  summary: "Signs in with an access key, or with temporary credentials.",
  input: v.object({
    accessKeyId: bounded(128),
    secretAccessKey: bounded(128),
    sessionToken: v.exactOptional(bounded(6144)),
  }),
  async handle({ services, context, secure }, input) {
    const { throttle, sessions, registry } = services;
    const wait = throttle.begin(context.clientAddress, input.accessKeyId);
    if (wait > 0) {
      throw new ConsoleError("TooManyAttempts", "Too many failed attempts: wait a little.", {
        retryAfterMilliseconds: wait,
      });
    }
    const opened = await sessions.open(input);
    if (opened === undefined) {
      throw new ConsoleError(
        "SignInRefused",
        "The access key is unknown, inactive or expired, or the secret is not its own.",
      );
    }
    throttle.succeeded(context.clientAddress, input.accessKeyId);
    context.log.principal = opened.session.key.principal.arn;
    return new Response(null, {
      status: 204,
      headers: { "Set-Cookie": setCookie(registry.region, secure, opened.cookie) },
    });
  },
});

export const getSession = defineEndpoint({
  name: "console.get-session",
  method: "GET",
  path: "session",
  summary: "Tells who is signed in, for how long, and where the other regions are.",
  input: nothing,
  permissions: () => [],
  async handle({ session, services }): Promise<SessionAnswer> {
    const { arn, account, kind } = session.key.principal;
    return {
      region: services.registry.region,
      version: services.version,
      principal: { arn, account, kind },
      ...(session.key !== session.signedIn && { signedInArn: session.signedIn.principal.arn }),
      expiresAt: session.expiresAt,
      renewableUntil: session.renewableUntil,
      regions: services.regions
        .filter(({ kind }) => kind === "region")
        .map(({ name, endpoint }) => ({ name, endpoint })),
    };
  },
});

export const renewSession = defineEndpoint({
  name: "console.renew-session",
  method: "POST",
  path: "session/renewal",
  summary: "Lengthens the session by half an hour, up to twelve hours in all.",
  input: nothing,
  permissions: () => [],
  handle: async ({ session, services }) => ({ expiresAt: await services.sessions.renew(session) }),
});

/** What AssumeRole answers, as far as it matters here. */
const assumed = v.object({
  Credentials: v.object({
    AccessKeyId: v.string(),
    SessionToken: v.string(),
  }),
});

export const assumeRole = defineEndpoint({
  name: "console.assume-role",
  method: "POST",
  path: "session/role",
  summary: "Acts in a role from now on; STS's AssumeRole decides.",
  input: v.object({ roleArn: bounded(2048), sessionName: bounded(64) }),
  permissions: () => [],
  async handle(call, { roleArn, sessionName }) {
    const { session, services, context, facts, request } = call;
    const answer = await services.doors.perform("sts", "AssumeRole", {
      key: session.signedIn,
      input: { RoleArn: roleArn, RoleSessionName: sessionName },
      host: request.headers.get("host") ?? "",
      context,
      facts,
    });
    const { Credentials } = v.parse(assumed, answer);
    await services.sessions.setRole(session, {
      accessKeyId: Credentials.AccessKeyId,
      sessionToken: Credentials.SessionToken,
    });
    return new Response(null, { status: 204 });
  },
});

export const leaveRole = defineEndpoint({
  name: "console.leave-role",
  method: "DELETE",
  path: "session/role",
  summary: "Acts as whoever signed in again.",
  input: nothing,
  permissions: () => [],
  async handle({ session, services }) {
    await services.sessions.setRole(session, undefined);
    return new Response(null, { status: 204 });
  },
});

export const signOut = defineEndpoint({
  name: "console.sign-out",
  method: "DELETE",
  path: "session",
  summary: "Ends this session, or with `everywhere` all of whoever signed in.",
  input: v.object({ everywhere: v.exactOptional(v.boolean()) }),
  permissions: () => [],
  async handle(call: ConsoleCall, { everywhere = false }) {
    const { session, services, secure } = call;
    if (everywhere) await services.sessions.closeAll(session);
    else await services.sessions.close(session);
    return new Response(null, {
      status: 204,
      headers: { "Set-Cookie": clearCookie(services.registry.region, secure) },
    });
  },
});
