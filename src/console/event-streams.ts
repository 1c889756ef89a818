/**
 * Server-sent events. One loop per process reads the journal and the routes while anybody listens,
 * however many there are; each listener gets what concerns its account and what it may see. Changes
 * of a while come together in one event, whose id is their last place in the journal: a browser
 * that was away asks for what came after.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */

import type { Access } from "../access/access.ts";
import { type Caller, repositoryArn } from "../access/access.ts";
import {
  type ChangeRow,
  selectChanges,
  selectLastChangeSequence,
} from "../metadata/queries/changes.ts";
import type { RegistryContext } from "../registry/context.ts";
import type { ChangesEvent, ChartAnswer } from "./api-types.ts";
import { ConsoleError } from "./errors.ts";

export interface EventStreamsOptions {
  readonly registry: RegistryContext;
  readonly access: Access;
  readonly chart: (account: string) => Promise<ChartAnswer>;
  readonly onError: (error: unknown) => void;
}

export interface Listener {
  /** Streams of one session are counted together. */
  readonly sessionId: string;
  readonly account: string;
  readonly caller: Caller;
  /** Whether the session is still good: asked now and then. */
  isSignedIn(): Promise<boolean>;
  /** Last-Event-ID: where the listener was. Absent: it begins now. */
  readonly after: number | undefined;
  /** The request's: the browser went away. */
  readonly signal: AbortSignal;
}

export interface EventStreams {
  /** @throws ConsoleError TooManyStreams, Stopping */
  open(listener: Listener): ReadableStream<Uint8Array>;
  /** Ends all, so that the server can stop. */
  stop(): Promise<void>;
}

/** How long changes are gathered, and how often a listener is looked after. */
const roundMilliseconds = 500;
/**
 * The routes are looked at this often, or more seldom when a large backlog makes that take long:
 * watching must not become the work.
 */
const chartMilliseconds = 1000;
const chartRestFactor = 20;
const chartMillisecondsLimit = 30_000;
/** Shorter than any time after which a proxy or this server ends a silent connection. */
const heartbeatMilliseconds = 3000;
const sessionCheckMilliseconds = 15_000;
const changesPerRound = 1000;
const repositoriesPerEvent = 200;
const streamsLimit = 500;
const streamsPerSessionLimit = 8;
/** Events that wait for a slow browser, in bytes; beyond, it is cut off and comes again. */
const waitingBytesLimit = 256 * 1024;

interface Stream extends Listener {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** The last change that it was told of, or that did not concern it. */
  position: number;
  chart: string;
  wroteAt: number;
  checkedAt: number;
  closed: boolean;
}

const encoder = new TextEncoder();

export function eventStreams(options: EventStreamsOptions): EventStreams {
  const { registry, access, onError } = options;
  const { clock, metadata } = registry;
  const streams = new Set<Stream>();
  const stopping = new AbortController();
  let loop: Promise<void> | undefined;
  /** When the routes are looked at again. */
  let chartsDueAt = 0;

  function write(stream: Stream, text: string): void {
    if (stream.closed) return;
    const { desiredSize } = stream.controller;
    if (desiredSize !== null && desiredSize < -waitingBytesLimit) {
      close(stream);
      return;
    }
    stream.controller.enqueue(encoder.encode(text));
    stream.wroteAt = clock.now();
  }

  function close(stream: Stream): void {
    if (stream.closed) return;
    stream.closed = true;
    streams.delete(stream);
    try {
      stream.controller.close();
    } catch {
      // The browser closed it first.
    }
  }

  async function mayDescribe(stream: Stream, repository: string): Promise<boolean> {
    const resource = repositoryArn(registry.region, stream.account, repository);
    const asked = { ...stream.caller, action: "ecr:DescribeRepositories", resource };
    return (await access.decide(asked)).allowed;
  }

  async function tellChanges(stream: Stream, changes: readonly ChangeRow[], last: number) {
    const own = changes.filter(
      ({ sequence, account }) => sequence > stream.position && account === stream.account,
    );
    stream.position = last;
    if (own.length === 0) return;
    const names = [...new Set(own.map(({ repository }) => repository).filter(Boolean))];
    const repositories: string[] = [];
    for (const name of names.slice(0, repositoriesPerEvent)) {
      if (await mayDescribe(stream, name)) repositories.push(name);
    }
    const registryChanged =
      names.length > repositoriesPerEvent || own.some(({ repository }) => repository === "");
    if (repositories.length === 0 && !registryChanged) return;
    const event: ChangesEvent = { repositories, registry: registryChanged };
    write(stream, `id: ${last}\nevent: changes\ndata: ${JSON.stringify(event)}\n\n`);
  }

  async function tellChart(stream: Stream, charts: Map<string, Promise<ChartAnswer>>) {
    const permission = { action: "ecr:DescribeRegistry", resource: "*", account: stream.account };
    if (!(await access.decide({ ...stream.caller, ...permission })).allowed) {
      stream.chart = "refused";
      return;
    }
    const known = charts.get(stream.account) ?? options.chart(stream.account);
    charts.set(stream.account, known);
    const chart = await known;
    // Time alone is no news: a lag grows by itself, and the page knows how to count.
    const { at: _, ...rest } = chart;
    const routes = rest.routes.map(({ lagMilliseconds: _lag, ...route }) => route);
    const shape = JSON.stringify({ ...rest, routes });
    if (shape === stream.chart) return;
    stream.chart = shape;
    write(stream, `event: chart\ndata: ${JSON.stringify(chart)}\n\n`);
  }

  async function lookAfter(stream: Stream): Promise<void> {
    const now = clock.now();
    if (Math.abs(now - stream.checkedAt) >= sessionCheckMilliseconds) {
      stream.checkedAt = now;
      if (!(await stream.isSignedIn())) {
        write(stream, "event: signed-out\ndata: {}\n\n");
        close(stream);
        return;
      }
    }
    if (Math.abs(now - stream.wroteAt) >= heartbeatMilliseconds) write(stream, ": alive\n\n");
  }

  async function round(): Promise<void> {
    const after = Math.min(...[...streams].map(({ position }) => position));
    const changes = await selectChanges(metadata.read, after, changesPerRound);
    const last = changes.at(-1)?.sequence ?? after;
    const begun = clock.now();
    // A clock that was set back must not put it off.
    const lookAtCharts = begun >= chartsDueAt || chartsDueAt - begun > chartMillisecondsLimit;
    const charts = new Map<string, Promise<ChartAnswer>>();
    for (const stream of streams) {
      await tellChanges(stream, changes, Math.max(last, stream.position));
      if (lookAtCharts || stream.chart === "") await tellChart(stream, charts);
      await lookAfter(stream);
    }
    if (lookAtCharts) {
      const took = clock.now() - begun;
      const wait = Math.max(chartMilliseconds, took * chartRestFactor);
      chartsDueAt = begun + Math.min(chartMillisecondsLimit, wait);
    }
  }

  async function run(): Promise<void> {
    while (streams.size > 0 && !stopping.signal.aborted) {
      try {
        await round();
      } catch (error) {
        onError(error);
        for (const stream of streams) close(stream);
      }
      await clock.sleep(roundMilliseconds, stopping.signal);
    }
    loop = undefined;
  }

  async function begin(listener: Listener, controller: Stream["controller"]): Promise<void> {
    const newest = await selectLastChangeSequence(metadata.read);
    const { after } = listener;
    // Too far behind to be told everything: the page reads anew what it shows.
    const isBehind = after !== undefined && (after > newest || newest - after > changesPerRound);
    const now = clock.now();
    const stream: Stream = {
      ...listener,
      controller,
      position: after === undefined || isBehind ? newest : after,
      chart: "",
      wroteAt: now,
      checkedAt: now,
      closed: false,
    };
    streams.add(stream);
    listener.signal.addEventListener("abort", () => close(stream), { once: true });
    write(stream, `retry: 2000\nid: ${stream.position}\nevent: hello\ndata: {}\n\n`);
    if (isBehind) {
      const event: ChangesEvent = { repositories: [], registry: true };
      write(stream, `event: changes\ndata: ${JSON.stringify(event)}\n\n`);
    }
    loop ??= run();
  }

  return {
    open(listener) {
      if (stopping.signal.aborted) throw new ConsoleError("Stopping", "The server is stopping.");
      const ofSession = [...streams].filter(({ sessionId }) => sessionId === listener.sessionId);
      if (streams.size >= streamsLimit || ofSession.length >= streamsPerSessionLimit) {
        throw new ConsoleError("TooManyStreams", "Too many streams of events are open.");
      }
      return new ReadableStream<Uint8Array>(
        {
          start: (controller) => begin(listener, controller),
          cancel() {
            for (const stream of streams) {
              if (stream.signal === listener.signal) close(stream);
            }
          },
        },
        new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
      );
    },
    async stop() {
      stopping.abort();
      for (const stream of streams) close(stream);
      await loop;
    },
  };
}
