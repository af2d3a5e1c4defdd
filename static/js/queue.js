// Sends files to the server, a few at a time. Knows nothing of the page.
import { parseObject, requestHeaders } from "./server.js";

const PARALLEL = 3;

/**
 * One file on its way. `state` goes from "waiting" over "sending" and "storing" (all
 * sent, no answer yet) to "stored", "duplicate", "refused", "failed" (worth another
 * try) or "cancelled". `answer` is then `{status, body}`: the server's JSON or null,
 * with status 0 where no answer came.
 */
class Upload {
  state = "waiting";
  sent = 0;
  answer = null;
  request = null;

  constructor(file) {
    this.file = file;
  }

  get isOver() {
    return !["waiting", "sending", "storing"].includes(this.state);
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

  constructor(url, limit) {
    super();
    this.url = url;
    this.limit = limit; // bytes a file, or Infinity
  }

  add(files) {
    for (const file of files) {
      const upload = new Upload(file);
      this.uploads.push(upload);
      if (file.size > this.limit) {
        this.#settle(upload, "refused", { status: 413, body: null });
      } else {
        this.#changed(upload);
      }
    }
    this.#next();
  }

  retry(upload) {
    if (!upload.isOver) return;
    Object.assign(upload, { state: "waiting", sent: 0, answer: null });
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
    for (const state of ["waiting", "sending", "storing"]) {
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
    const request = new XMLHttpRequest();
    upload.request = request;
    upload.state = "sending";
    request.upload.addEventListener("progress", (event) => {
      // The form around the file counts too: never show more than the file has.
      upload.sent = Math.min(event.loaded, upload.file.size);
      this.#changed(upload);
    });
    request.upload.addEventListener("load", () => {
      Object.assign(upload, { state: "storing", sent: upload.file.size });
      this.#changed(upload);
    });
    request.addEventListener("loadend", () => {
      if (upload.request !== request) return; // cancelled
      const answer = { status: request.status, body: parseObject(request.responseText) };
      this.#settle(upload, stateOf(request.status), answer);
      this.#next();
    });
    request.open("POST", this.url);
    Object.entries(requestHeaders()).forEach(([name, value]) => request.setRequestHeader(name, value));
    const form = new FormData();
    form.append("file", upload.file);
    request.send(form);
    this.#changed(upload);
  }
}
