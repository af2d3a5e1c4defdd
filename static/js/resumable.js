// Sends one file in pieces over tus, and goes on where it was: after a lost connection by
// itself, and after a reload when the same file is chosen again.
import { forget, hold, holdFirst, release } from "./memory.js";
import { Retries } from "./retries.js";
import { deleteUpload, fetchOutcome, isGone } from "./server.js";
import { prepareTus, shrinkPieces } from "./tus.js";

const NO_ANSWER = { status: 0, body: null };

class ResumableUpload {
  #file;
  #options;
  #listener;
  #tus = null;
  #isOver = false;
  #answer = NO_ANSWER; // the last one
  #offset = 0; // what the server is known to have
  #held = null; // the URL taken for this page
  #isEmpty = true; // the server can have no byte of it
  #retries = new Retries(() => this.#start());

  constructor(file, options, listener) {
    this.#file = file;
    this.#options = options;
    this.#listener = listener;
    this.#start();
  }

  /** The URL of what the server may have got so far, null where that is nothing. */
  get keptAt() {
    return this.#isEmpty ? null : this.#tus.url;
  }

  /** Stop. What the server has stays there; an upload without a byte is deleted. */
  async abort() {
    this.#isOver = true;
    this.#retries.stop();
    this.#tus?.abort();
    const url = this.#isEmpty && this.#tus?.url;
    if (url && isGone((await deleteUpload(url)).status)) forget(url);
    this.#hold(null);
  }

  async #start() {
    try {
      this.#tus ??= await prepareTus(this.#file, this.#options, {
        onAnswer: (answer, offset) => this.#read(answer, offset ?? null),
        onUploadUrlAvailable: () => this.#hold(this.#tus.url),
        onProgress: (sent, size) => this.#tell({ sent, state: sent < size ? "sending" : "storing" }),
        onChunkComplete: (length, offset) => this.#reach(offset),
        onSuccess: () => this.#finish(),
        onError: (error) => this.#fail(error),
      });
      if (!this.#tus) {
        this.#tryAgain(0, "GET");
        return;
      }
      if (!this.#tus.url) await this.#goOn();
      if (this.#isOver) this.#hold(null);
      else this.#tus.start();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Go on with the newest upload of the same file that nobody else sends. */
  async #goOn() {
    const earlier = await holdFirst(await this.#tus.findPreviousUploads());
    if (!earlier) return;
    this.#held = earlier.uploadUrl;
    this.#isEmpty = false;
    this.#tus.resumeFromPreviousUpload(earlier);
  }

  #hold(url) {
    if (this.#held === url) return;
    if (this.#held) release(this.#held);
    if (url) hold(url);
    this.#held = url;
    this.#isEmpty = true;
  }

  #read(answer, offset) {
    if (this.#isOver) throw new Error("It was cancelled.");
    this.#answer = answer;
    if (offset === null) return;
    this.#reach(offset);
    this.#tell({ state: "sending", sent: offset, resumedAt: offset, url: this.#tus.url });
  }

  #reach(offset) {
    if (offset > this.#offset) this.#retries.reset();
    this.#offset = offset;
    this.#isEmpty = !offset;
  }

  #tell(changes) {
    if (changes.sent) this.#isEmpty = false;
    if (!this.#isOver) this.#listener.onChange(changes);
  }

  #end(answer) {
    this.#isOver = true;
    this.#retries.stop();
    this.#hold(null);
    this.#listener.onEnd(answer);
  }

  async #finish() {
    const { url } = this.#tus;
    this.#answer = await fetchOutcome(url);
    if (this.#isOver) return;
    const { status } = this.#answer;
    if (status === 201 || status === 409) {
      forget(url);
      this.#end(this.#answer);
    } else {
      this.#tryAgain(status, "GET");
    }
  }

  #fail(error) {
    if (this.#isOver) return;
    const { status, body } = this.#answer;
    const method = error.originalRequest?.getMethod();
    if (!method) {
      this.#end({ ...NO_ANSWER, isUnreadable: true });
    } else if (method === "PATCH" && status === 413 && !body && shrinkPieces(this.#tus)) {
      this.#start(); // not this server's refusal: a proxy takes no bodies so large
    } else {
      this.#tryAgain(status, method);
    }
  }

  #tryAgain(status, method) {
    if (this.#isOver) return;
    const delay = this.#retries.plan(status, method);
    // A conflict is with another page that sends the same, not with a file that is there.
    if (delay === null) this.#end(status === 409 ? NO_ANSWER : this.#answer);
    else if (delay) this.#tell({ state: "interrupted" });
  }
}

/**
 * Send `file`; return what can be stopped with `abort()`. `onChange` gets what changes of
 * `{state, sent, resumedAt, url}`, and `onEnd` the answer as for a form's request.
 */
export function sendInPieces(file, options, listener) {
  return new ResumableUpload(file, options, listener);
}
