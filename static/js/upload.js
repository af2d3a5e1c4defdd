// The drop zone and the queue of uploads under it.
import { refreshList } from "./list.js";
import { UploadQueue } from "./queue.js";
import { UnfinishedList } from "./unfinished.js";
import { UploadRow } from "./upload-row.js";
import { fill, inBytes, notify } from "./words.js";

const zone = document.getElementById("upload");
const form = document.getElementById("upload-form");
const input = form.querySelector('input[type="file"]');
const template = document.getElementById("upload-item");
const says = zone.dataset;
const limit = says.limit === undefined ? Infinity : Number(says.limit);
const endpoint = new URL(says.resumableUrl, window.location.href).href;
const queue = new UploadQueue({
  url: says.uploadUrl,
  limit,
  endpoint,
  largeFrom: Number(says.largeFrom),
  pieceSize: Number(says.pieceSize),
  scriptUrl: says.tusUrl,
});
const rows = new Map(); // by upload

const slot = (name) => zone.querySelector(`:scope [data-slot="${name}"]`);
const button = (name) => zone.querySelector(`:scope > div [data-action="${name}"]`);

const unfinished = new UnfinishedList(
  slot("unfinished"),
  document.getElementById("unfinished-item"),
  says,
);

// Not for downloads: their links say `download`, or browsers would ask before they know.
function warnBeforeLeaving(event) {
  event.preventDefault();
}

function showTotals() {
  const { uploads } = queue;
  const size = uploads.reduce((sum, upload) => sum + upload.file.size, 0);
  const sent = uploads.reduce((sum, { file, sent, isOver }) => sum + (isOver ? file.size : sent), 0);
  const done = uploads.filter((upload) => upload.isOver).length;
  slot("queue").hidden = !uploads.length;
  slot("total-progress").value = size ? sent / size : Number(done === uploads.length);
  slot("total").textContent = fill(says.total, {
    done,
    count: uploads.length,
    sent: inBytes(sent),
    size: inBytes(size),
  });
  const isOver = done === uploads.length;
  const hadFocus = document.activeElement === button("cancel-all");
  button("cancel-all").hidden = isOver;
  button("clear").hidden = !isOver;
  if (isOver && hadFocus) button("clear").focus();
  if (isOver) window.removeEventListener("beforeunload", warnBeforeLeaving);
  else window.addEventListener("beforeunload", warnBeforeLeaving);
}

queue.addEventListener("change", ({ detail: upload }) => {
  if (!rows.has(upload)) {
    rows.set(upload, new UploadRow(upload, template, says, limit));
    slot("items").append(rows.get(upload).element);
  }
  rows.get(upload).update();
  if (upload.url && !upload.isOver) unfinished.remove(upload.url);
  showTotals();
});

queue.addEventListener("kept", ({ detail: upload }) => unfinished.showOne(upload.keptAt));

queue.addEventListener("idle", () => {
  if (queue.uploads.some((upload) => upload.state === "stored")) refreshList();
});

zone.addEventListener("click", ({ target }) => {
  const action = target.closest("[data-action]")?.dataset.action;
  const upload = [...rows.keys()].find((key) => rows.get(key).element.contains(target));
  if (action === "choose") input.click();
  if (action === "cancel") queue.cancel(upload);
  if (action === "retry") queue.retry(upload);
  if (action === "discard") unfinished.press(target, (url) => queue.discard(url));
  if (action === "cancel-all") queue.cancelAll();
  if (action === "clear") {
    queue.clear();
    rows.clear();
    slot("items").replaceChildren();
    showTotals();
    button("choose").focus();
  }
});

input.addEventListener("change", () => {
  queue.add(input.files);
  input.value = ""; // so that the same file can be chosen again
});

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  zone.classList.add("is-target");
});

document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) zone.classList.remove("is-target");
});

document.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  zone.classList.remove("is-target");
  const files = [];
  for (const item of event.dataTransfer.items) {
    if (item.kind !== "file") continue;
    const file = item.getAsFile();
    if (!file || item.webkitGetAsEntry?.()?.isDirectory) {
      const name = file?.name ?? "";
      notify(fill(says.announce, { name, result: fill(says.refused, { reason: says.unreadable }) }), "warning");
    } else {
      files.push(file);
    }
  }
  queue.add(files);
});

input.multiple = true;
unfinished.show(endpoint);
