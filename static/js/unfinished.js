// Tells of large uploads that were begun in this browser and not ended.
import { forget, hold, memory, release } from "./memory.js";
import { deleteUpload, fetchUpload, isGone } from "./server.js";
import { announce, fill, inBytes, notify } from "./words.js";

/** Return how the upload stands, null where there is nothing to go on with or to say. */
async function standing(url) {
  // Another page sends it.
  if (!(await hold(url))) return null;
  release(url);
  const { status, body } = await fetchUpload(url);
  if (isGone(status) || (body && ["stored", "duplicate"].includes(body.state))) forget(url);
  return status === 200 && body.state === "receiving" ? body : null;
}

/** `says` holds the page's sentences, as the data- attributes of #upload. */
export class UnfinishedList {
  #section;
  #template;
  #says;
  #items = new Map(); // by URL

  constructor(section, template, says) {
    this.#section = section;
    this.#template = template;
    this.#says = says;
  }

  /** Ask the server for those that this browser remembers of `endpoint`, and show them. */
  async show(endpoint) {
    for (const { uploadUrl: url } of await memory.findAllUploads()) {
      if (!url?.startsWith(endpoint) || this.#items.has(url)) continue;
      const upload = await standing(url);
      if (upload) this.#add(url, upload);
    }
  }

  /** Say no more of the upload at `url`. */
  remove(url) {
    this.#items.get(url)?.remove();
    this.#items.delete(url);
    this.#section.hidden = !this.#items.size;
  }

  /** Let the server forget the upload whose line has `element` in it. */
  async discard(element) {
    const [url, item] = [...this.#items].find(([, each]) => each.contains(element));
    const name = item.querySelector('[data-slot="name"]').textContent;
    const { status, detail } = await deleteUpload(url);
    if (!isGone(status)) {
      const reason = status ? detail : this.#says.offline;
      notify(fill(this.#says.discardFailed, { name, reason }), "danger");
      return;
    }
    forget(url);
    const index = [...this.#items.keys()].indexOf(url);
    this.remove(url);
    const buttons = this.#section.querySelectorAll('[data-action="discard"]');
    const next = buttons[Math.min(index, buttons.length - 1)];
    (next ?? document.querySelector('#upload [data-action="choose"]')).focus();
    announce(fill(this.#says.discarded, { name }));
  }

  #add(url, { name, offset, size }) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    const slot = (slotName) => item.querySelector(`[data-slot="${slotName}"]`);
    slot("name").textContent = name;
    slot("sent").textContent = fill(this.#says.sending, { sent: inBytes(offset), size: inBytes(size) });
    const progress = slot("progress");
    progress.value = offset / size;
    progress.setAttribute("aria-label", name);
    const button = item.querySelector('[data-action="discard"]');
    button.setAttribute("aria-label", fill(this.#says.discard, { name }));
    this.#items.set(url, item);
    this.#section.querySelector("ul").append(item);
    this.#section.hidden = false;
  }
}
