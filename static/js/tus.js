// tus-js-client, fetched when it is first needed and set up for this server.
import { fingerprintOf } from "./fingerprint.js";
import { memory } from "./memory.js";
import { isGone, loadScript, parseObject, requestHeaders } from "./server.js";

// What most proxies take by default.
const SMALLEST_PIECE = 1024 * 1024;

/**
 * Return the library's upload of `file`, not started; null where the library is out of reach.
 * `handlers` are some of the library's own, and `onAnswer(answer, offset)`: `{status, body}`
 * of each request, status 0 while there is none, and what the server says it has.
 */
export async function prepareTus(file, { scriptUrl, endpoint, pieceSize }, { onAnswer, ...handlers }) {
  const library = await loadScript(scriptUrl, "tus");
  if (!library) return null;
  return new library.Upload(file, {
    endpoint,
    chunkSize: pieceSize,
    metadata: { filename: file.name },
    headers: requestHeaders(),
    fingerprint: fingerprintOf,
    urlStorage: memory,
    retryDelays: null,
    ...handlers,
    onBeforeRequest: () => onAnswer({ status: 0, body: null }),
    onAfterResponse: (request, response) => {
      const status = response.getStatus();
      const isHead = request.getMethod() === "HEAD";
      const offset = isHead && status < 300 ? Number(response.getHeader("Upload-Offset")) : null;
      onAnswer({ status, body: parseObject(response.getBody()) }, offset);
      // The library would begin anew after any refusal, those of a server that restarts too.
      if (isHead && status >= 400 && !isGone(status)) throw new Error(`Status ${status}`);
    },
  });
}

/** Let `upload` send smaller pieces; return whether that can be. */
export function shrinkPieces({ options }) {
  const isLarge = options.chunkSize > SMALLEST_PIECE;
  options.chunkSize = Math.max(SMALLEST_PIECE, Math.floor(options.chunkSize / 4));
  return isLarge;
}
