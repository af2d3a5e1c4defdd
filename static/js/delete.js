// Deletes from the list after a question, without leaving the page.
import { refreshList } from "./list.js";
import { deleteFile } from "./server.js";
import { fill, notify } from "./words.js";

const list = document.getElementById("file-list");
const dialog = document.getElementById("delete-dialog");

/** Ask whether to delete the file called `name`; resolves to the answer. */
function ask(name) {
  dialog.querySelector('[data-slot="name"]').textContent = name;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true });
  });
}

/** Return the place of `row`, to find the row that comes to stand there. */
function placeOf(row) {
  const group = row.closest("[data-group]");
  return { key: group.dataset.group, index: [...row.parentElement.children].indexOf(row) };
}

/** Move the focus to the delete button at `place`, or as near to it as there is one. */
function focusAt({ key, index }) {
  const groups = [...list.querySelectorAll("[data-group]")];
  const group = groups.find((candidate) => candidate.dataset.group === key);
  const buttons = group?.querySelectorAll('[data-action="delete"]') ?? [];
  const target = buttons[Math.min(index, buttons.length - 1)];
  (target ?? document.getElementById("file-list-summary")).focus();
}

async function removeRow(row) {
  const { fileId, fileName: name } = row.dataset;
  if (!(await ask(name))) return;
  row.setAttribute("aria-busy", "true");
  const { status, detail } = await deleteFile(list.dataset.deleteUrl.replace(/0$/, fileId));
  const { deleted, gone, failed, offline } = dialog.dataset;
  if (status === 204 || status === 404) {
    const place = placeOf(row);
    row.remove();
    await refreshList();
    focusAt(place);
    notify(fill(status === 204 ? deleted : gone, { name }), status === 204 ? "success" : "info");
  } else {
    row.removeAttribute("aria-busy");
    notify(fill(failed, { name, reason: status ? detail : offline }), "danger");
  }
}

list.addEventListener("click", (event) => {
  const button = event.target.closest('[data-action="delete"]');
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  removeRow(button.closest("tr"));
});
