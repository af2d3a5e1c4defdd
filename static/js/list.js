// The list of files, brought up to date in place.
import { fetchPage } from "./server.js";
import { localizeTimes } from "./times.js";

let running = null;
let again = false;

async function refresh() {
  const list = document.getElementById("file-list");
  const fresh = (await fetchPage())?.getElementById("file-list");
  if (list && fresh) {
    list.replaceChildren(...fresh.children);
    localizeTimes(list);
  }
}

/**
 * Fetch the list again and put it in the old one's place. Calls during a refresh
 * are answered by one more after it, so that the last change is always seen.
 */
export function refreshList() {
  if (!document.getElementById("file-list")) return Promise.resolve();
  if (running) {
    again = true;
    return running;
  }
  running = (async () => {
    do {
      again = false;
      await refresh();
    } while (again);
    running = null;
  })();
  return running;
}
