// When to try again after a failure, and when to give up.
import { isGone } from "./server.js";

// Before each further try without any progress: five minutes in all, for a server that restarts.
const DELAYS_MS = [0, 1, 2, 4, 8, ...Array(19).fill(15)].map((seconds) => seconds * 1000);
const OFFLINE_DELAY_MS = 15_000;

/** Return whether another try may help. A piece that finds no upload begins a new one. */
function isPassing(status, method) {
  if (method === "PATCH" && (status === 409 || isGone(status))) return true;
  return status === 0 || status === 423 || status === 429 || (status >= 500 && status !== 507);
}

/** Calls `start` when it is time for another try. */
export class Retries {
  #start;
  #failures = 0;
  #timer = null;

  constructor(start) {
    this.#start = start;
    window.addEventListener("online", this.#hurry);
  }

  /** Forget the failures: there was some progress. */
  reset() {
    this.#failures = 0;
  }

  /**
   * Plan another try after the answer `status` (0: none) to a request; return in how many
   * milliseconds, or null where it would be in vain.
   */
  plan(status, method) {
    if (!isPassing(status, method)) return null;
    // A server on this machine is there without a network too: so don't wait for "online" only.
    const delay = DELAYS_MS[this.#failures] ?? (navigator.onLine ? null : OFFLINE_DELAY_MS);
    if (delay === null) return null;
    this.#failures += 1;
    this.#timer = setTimeout(this.#fire, delay);
    return delay;
  }

  /** Plan no more. */
  stop() {
    clearTimeout(this.#timer);
    window.removeEventListener("online", this.#hurry);
  }

  #fire = () => {
    this.#timer = null;
    this.#start();
  };

  #hurry = () => {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.reset();
    this.#fire();
  };
}
