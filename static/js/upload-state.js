// How one upload of the queue stands.
export const OPEN = ["waiting", "sending", "interrupted", "storing"];

/**
 * One file on its way. `state` goes from "waiting" over "sending" and "storing" (all
 * sent, no answer yet) to "stored", "duplicate", "refused", "failed" (worth another
 * try) or "cancelled"; it is "interrupted" while a large one waits for a connection to go
 * on by itself. `answer` is then `{status, body}`: the server's JSON or null, with status 0
 * where no answer came, and `isUnreadable` where the file was at fault.
 */
export class Upload {
  state = "waiting";
  sent = 0;
  resumedAt = 0; // bytes that the server had from an earlier try
  url = null; // of a large one that goes on
  keptAt = null; // the URL of what the server has of a cancelled one
  answer = null;
  request = null;

  constructor(file) {
    this.file = file;
  }

  get isOver() {
    return !OPEN.includes(this.state);
  }
}

/** Return the state that the answer `status` leads to. */
export function stateOf(status) {
  if (status === 200 || status === 201) return "stored";
  if (status === 409) return "duplicate";
  return status === 0 || status === 429 || status >= 500 ? "failed" : "refused";
}
