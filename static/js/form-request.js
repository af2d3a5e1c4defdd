// Sends one file in one request, as a form does.
import { parseObject, requestHeaders } from "./server.js";

/**
 * Send `file`; return what can be stopped with `abort()`. `onChange` gets what changes of
 * `{state, sent}`, and `onEnd` the answer: `{status, body}`.
 */
export function sendAsForm(file, { url }, { onChange, onEnd }) {
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (event) => {
    // The form around the file counts too: never show more than the file has.
    onChange({ sent: Math.min(event.loaded, file.size) });
  });
  request.upload.addEventListener("load", () => onChange({ state: "storing", sent: file.size }));
  request.addEventListener("loadend", () => {
    onEnd({ status: request.status, body: parseObject(request.responseText) });
  });
  request.open("POST", url);
  Object.entries(requestHeaders()).forEach(([name, value]) => request.setRequestHeader(name, value));
  const form = new FormData();
  form.append("file", file);
  request.send(form);
  return request;
}
