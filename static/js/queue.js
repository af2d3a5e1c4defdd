// Sends files to the server, a few at a time. Knows nothing of the page.
import { sendAsForm } from "./form-request.js";
import { sendInPieces } from "./resumable.js";

const PARALLEL = 3;

const OPEN = ["waiting", "sending", "interrupted", "storing"];

/**
 * One file on its way. `state` goes from "waiting" over "sending" and "storing" (all
 * sent, no answer yet) to "stored", "duplicate", "refused", "failed" (worth another
 * try) or "cancelled"; it is "interrupted" while a large one waits for a connection to go
 * on by itself. `answer` is then `{status, body}`: the server's JSON or null, with status 0
 * where no answer came, and `isUnreadable` where the file was at fault.
 */
class Upload {
  state = "waiting";
  sent = 0;
  resumedAt = 0; // bytes that the server had from an earlier try
  url = null; // of a large one that goes on
  answer = null;
  request = null;

  constructor(file) {
    this.file = file;
  }

  get isOver() {
    return !OPEN.includes(this.state);
  }
}

function stateOf(status) {
  if (status === 200 || status === 201) return "stored";
  if (status === 409) return "duplicate";
  return status === 0 || status === 429 || status >= 500 ? "failed" : "refused";
}

/** Fires "change" with the upload as `detail`, and "idle" when none is left to send. */
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
    Object.assign(upload, { state: "waiting", sent: 0, resumedAt: 0, answer: null });
    this.#changed(upload);
    this.#next();
  }

  cancel(upload) {
    if (upload.isOver) return;
    const { request } = upload;
    this.#settle(upload, "cancelled", null);
    request?.abort();
    this.#next();
  }

  cancelAll() {
    // The waiting ones first, or each end would start another.
    for (const state of OPEN) {
      this.uploads.filter((upload) => upload.state === state).forEach((upload) => this.cancel(upload));
    }
  }

  clear() {
    this.uploads = this.uploads.filter((upload) => !upload.isOver);
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
