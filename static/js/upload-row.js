// One upload's line in the queue: what happens to it, in words.
import { announce, fill, inBytes } from "./words.js";

const icons = {
  waiting: "bi-hourglass text-body-secondary",
  sending: "bi-cloud-arrow-up text-primary",
  interrupted: "bi-wifi-off text-warning-emphasis",
  storing: "bi-hdd text-primary",
  stored: "bi-check-circle-fill text-success",
  duplicate: "bi-files text-warning-emphasis",
  refused: "bi-x-circle-fill text-danger",
  failed: "bi-exclamation-triangle-fill text-danger",
  cancelled: "bi-slash-circle text-body-secondary",
};

/** Return why the server took no file, in its own sentence where it sent one. */
function reasonOf({ answer }, says, limit) {
  const { status, body, isUnreadable } = answer;
  if (isUnreadable) return says.unreadable;
  if (status === 0) return says.offline;
  if (body?.detail) return body.detail;
  if (status === 413) {
    return limit < Infinity ? fill(says.tooLarge, { limit: inBytes(limit) }) : says.tooLargeSomewhere;
  }
  return fill(says.noAnswer, { status });
}

/** `says` holds the page's sentences and `viewUrl`, as the data- attributes of #upload. */
export class UploadRow {
  constructor(upload, template, says, limit) {
    this.upload = upload;
    this.says = says;
    this.limit = limit;
    this.resumedAt = 0;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.slots = {};
    for (const slot of this.element.querySelectorAll("[data-slot]")) {
      this.slots[slot.dataset.slot] = slot;
    }
    this.slots.name.textContent = upload.file.name;
    this.slots.size.textContent = inBytes(upload.file.size);
    this.slots.progress.setAttribute("aria-label", upload.file.name);
  }

  action(name) {
    return this.element.querySelector(`[data-action="${name}"]`);
  }

  update() {
    const { upload, slots } = this;
    slots.progress.value = upload.file.size ? upload.sent / upload.file.size : 0;
    slots.result.textContent = this.#result();
    const isResumed = upload.resumedAt > 0 && upload.resumedAt !== this.resumedAt;
    this.resumedAt = upload.resumedAt;
    if (this.element.dataset.state !== upload.state) this.#show();
    else if (!isResumed) return;
    if (upload.isOver || isResumed || upload.state === "interrupted") this.#announce();
  }

  #show() {
    const { upload, slots } = this;
    this.element.dataset.state = upload.state;
    slots.icon.className = `bi ${icons[upload.state]}`;
    slots.progress.hidden = upload.isOver;
    const hadFocus = this.element.contains(document.activeElement);
    this.action("cancel").hidden = upload.isOver;
    this.action("retry").hidden = !["failed", "cancelled"].includes(upload.state);
    this.#link();
    if (hadFocus) {
      const target = this.element.querySelector("a[href]:not([hidden]), button:not([hidden])");
      (target ?? this.element).focus();
    }
  }

  #announce() {
    const { slots, says, upload } = this;
    const existing = slots.existing.hidden ? "" : slots.existing.textContent;
    const result = `${slots.result.textContent} ${existing}`.trim();
    announce(fill(says.announce, { name: upload.file.name, result }));
  }

  #result() {
    const { upload, says } = this;
    const sentence = says[upload.state];
    if (upload.state === "sending") {
      const { file, resumedAt, sent } = upload;
      const numbers = { sent: inBytes(sent), size: inBytes(file.size), offset: inBytes(resumedAt) };
      return fill(resumedAt ? says.resumed : sentence, numbers);
    }
    if (upload.keptAt) return says.kept;
    if (upload.state === "refused" || upload.state === "failed") {
      return fill(sentence, { reason: reasonOf(upload, says, this.limit) });
    }
    return sentence;
  }

  #link() {
    const { answer, state } = this.upload;
    const view = (id) => this.says.viewUrl.replace(/0\/$/, `${id}/`);
    if (state === "stored" && answer.body) this.slots.name.href = view(answer.body.id);
    const existing = state === "duplicate" ? answer.body?.existing : null;
    this.slots.existing.hidden = !existing;
    if (existing) {
      this.slots.existing.href = view(existing.id);
      this.slots.existing.textContent = existing.name;
    }
  }
}
