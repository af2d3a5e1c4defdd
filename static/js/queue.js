// Sends files to the server, a few at a time. Knows nothing of the page.
import { sendAsForm } from "./form-request.js";
import { forget } from "./memory.js";
import { sendInPieces } from "./resumable.js";
import { fetchOutcome } from "./server.js";
import { OPEN, stateOf, Upload } from "./upload-state.js";

const PARALLEL = 3;

// For the server to notice that no more comes, and to write what has come.
const SETTLING_MS = 1000;

/**
 * Fires "change" with the upload as `detail`, "idle" when none is left to send, and "kept"
 * with a cancelled upload that can be gone on with.
 */
export class UploadQueue extends EventTarget {
  uploads = [];

  /**
   * `url` takes forms and `endpoint` uploads in pieces of `pieceSize` bytes; files of
   * `largeFrom` bytes and more go there, by means of the script at `scriptUrl`. `limit` is
   * in bytes a file, or Infinity.
   */
  constructor(options) {
    super();
    this.options = options;
  }

  add(files) {
    for (const file of files) {
      const upload = new Upload(file);
      this.uploads.push(upload);
      if (file.size > this.options.limit) {
        this.#settle(upload, "refused", { status: 413, body: null });
      } else {
        this.#changed(upload);
      }
    }
    this.#next();
  }

  retry(upload) {
    if (!upload.isOver) return;
    const anew = { state: "waiting", sent: 0, resumedAt: 0, keptAt: null, answer: null };
    Object.assign(upload, anew);
    this.#changed(upload);
    this.#next();
  }

  cancel(upload) {
    if (upload.isOver) return;
    const { request } = upload;
    upload.keptAt = request?.keptAt ?? null;
    this.#settle(upload, "cancelled", null);
    request?.abort();
    if (upload.keptAt) this.#follow(upload);
    this.#next();
  }

  cancelAll() {
    // The waiting ones first, or each end would start another.
    for (const state of OPEN) {
      this.uploads.filter((upload) => upload.state === state).forEach((upload) => this.cancel(upload));
    }
  }

  /** Take note that nothing is kept at `url` any more. */
  discard(url) {
    for (const upload of this.uploads.filter(({ keptAt }) => keptAt === url)) {
      upload.keptAt = null;
      this.#changed(upload);
    }
  }

  clear() {
    this.uploads = this.uploads.filter((upload) => !upload.isOver);
  }

  /** See what became of a cancelled upload: all of it may have been there already. */
  async #follow(upload) {
    const url = upload.keptAt;
    await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
    const isCurrent = () => upload.keptAt === url && this.uploads.includes(upload);
    const answer = isCurrent() ? await fetchOutcome(url) : null;
    if (answer?.status !== 201 && answer?.status !== 409) {
      if (upload.keptAt === url) this.dispatchEvent(new CustomEvent("kept", { detail: upload }));
      return;
    }
    if (!isCurrent()) return;
    forget(url);
    upload.keptAt = null;
    this.#settle(upload, stateOf(answer.status), answer);
    this.#next();
  }

  #changed(upload) {
    this.dispatchEvent(new CustomEvent("change", { detail: upload }));
  }

  #settle(upload, state, answer) {
    Object.assign(upload, { state, answer, request: null });
    this.#changed(upload);
  }

  #next() {
    const busy = this.uploads.filter((upload) => upload.request).length;
    const waiting = this.uploads.filter((upload) => upload.state === "waiting");
    waiting.slice(0, PARALLEL - busy).forEach((upload) => this.#send(upload));
    if (!busy && !waiting.length) this.dispatchEvent(new Event("idle"));
  }

  #send(upload) {
    upload.state = "sending";
    const isLarge = upload.file.size >= this.options.largeFrom;
    const send = isLarge ? sendInPieces : sendAsForm;
    const request = send(upload.file, this.options, {
      onChange: (changes) => {
        if (upload.request !== request) return; // cancelled
        Object.assign(upload, changes);
        this.#changed(upload);
      },
      onEnd: (answer) => {
        if (upload.request !== request) return;
        this.#settle(upload, stateOf(answer.status), answer);
        this.#next();
      },
    });
    upload.request = request;
    this.#changed(upload);
  }
}
