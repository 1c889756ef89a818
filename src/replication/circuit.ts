/**
 * Whether a destination is worth trying. After some outages in a row the circuit opens: nothing is
 * claimed for the destination but one probe at a time, at growing intervals. Its queue waits in the
 * database. The first success closes it again.
 */
import type { Random } from "../runtime/clock.ts";
import { type BackOff, delay } from "./retry.ts";

export interface CircuitSettings {
  /** Outages in a row that open it. */
  readonly outagesToOpen: number;
  readonly probe: BackOff;
}

export interface Circuit {
  readonly open: boolean;
  /** When the first outage of those that opened it was; undefined while it is closed. */
  readonly openSince: number | undefined;
  /** For how long no probe may begin yet; 0 while the circuit is closed. */
  probeWait(now: number): number;
  /** True when this success closed an open circuit. */
  succeeded(): boolean;
  /** True when this outage opened a closed circuit. */
  failed(now: number): boolean;
}

export function circuit(settings: CircuitSettings, random: Pick<Random, "next">): Circuit {
  let outages = 0;
  let probeAt = 0;
  let firstOutageAt = 0;
  const open = () => outages >= settings.outagesToOpen;
  return {
    get open() {
      return open();
    },
    get openSince() {
      return open() ? firstOutageAt : undefined;
    },
    probeWait(now) {
      const wait = probeAt - now;
      // More than the longest interval: the clock was set back.
      return wait > settings.probe.limitMilliseconds ? 0 : Math.max(0, wait);
    },
    succeeded() {
      const wasOpen = open();
      outages = 0;
      probeAt = 0;
      return wasOpen;
    },
    failed(now) {
      const wasOpen = open();
      // Attempts that began together fail together: that is one outage of the open circuit.
      if (wasOpen && this.probeWait(now) > 0) return false;
      if (outages === 0) firstOutageAt = now;
      outages++;
      if (open()) {
        probeAt = now + delay(outages - settings.outagesToOpen + 1, random, settings.probe);
      }
      return !wasOpen && open();
    },
  };
}
