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
export async function deleteFile(url) {
  try {
    const response = await fetch(url, { method: "DELETE", headers: requestHeaders() });
    const problem = response.ok ? null : parseObject(await response.text());
    return { status: response.status, detail: problem?.detail ?? response.statusText };
  } catch {
    return { status: 0, detail: "" };
  }
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
