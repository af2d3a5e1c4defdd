// How the server is asked, and how its refusals are read.

/** Return what every request that changes something carries. */
export function requestHeaders() {
  return { "X-CSRFToken": document.body.dataset.csrfToken, Accept: "application/json" };
}

/** Return the object that `text` is the JSON of, null where it is none (a proxy's page, say). */
export function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/** Delete a file; return `{status, detail}`, with status 0 where the server is out of reach. */
export async function deleteFile(url, headers = {}) {
  try {
    const options = { method: "DELETE", headers: { ...requestHeaders(), ...headers } };
    const response = await fetch(url, options);
    const problem = response.ok ? null : parseObject(await response.text());
    return { status: response.status, detail: problem?.detail ?? response.statusText };
  } catch {
    return { status: 0, detail: "" };
  }
}

/** Let the server forget an unfinished upload; return what `deleteFile` does. */
export function deleteUpload(url) {
  return deleteFile(url, { "Tus-Resumable": "1.0.0" });
}

/** Return how an upload stands: `{status, body}`, with status 0 where the server is out of reach. */
export async function fetchUpload(url) {
  try {
    const response = await fetch(url, { headers: requestHeaders(), cache: "no-store" });
    return { status: response.status, body: parseObject(await response.text()) };
  } catch {
    return { status: 0, body: null };
  }
}

/**
 * Return what became of an upload whose bytes are all sent, as a form's answer would tell
 * it: 201 with the file, 409 with the existing one, 503 while the server is not done.
 */
export async function fetchOutcome(url) {
  const answer = await fetchUpload(url);
  const { state, file, existing } = answer.body ?? {};
  if (state === "stored") return { status: 201, body: file };
  if (state === "duplicate") return { status: 409, body: { existing } };
  return state === "receiving" ? { status: 503, body: null } : answer;
}

/** Return whether the answer `status` says that an upload is there no more. */
export function isGone(status) {
  return [204, 404, 410].includes(status);
}

/** Return the page at the present address as a document, null where it cannot be had. */
export async function fetchPage() {
  try {
    const response = await fetch(window.location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}

const scripts = new Map(); // by URL

/** Load the script at `url` once; resolves to the global `name` that it makes, or null. */
export function loadScript(url, name) {
  if (!scripts.has(url)) {
    const element = document.createElement("script");
    const loaded = new Promise((resolve) => {
      element.addEventListener("load", () => resolve(window[name]));
      element.addEventListener("error", () => {
        scripts.delete(url);
        element.remove();
        resolve(null);
      });
    });
    scripts.set(url, loaded);
    element.src = url;
    document.head.append(element);
  }
  return scripts.get(url);
}
