// Shows moments in the reader's own time zone; the server writes them in UTC.
const styles = {
  day: { dateStyle: "medium" },
  full: { dateStyle: "medium", timeStyle: "short" },
};

/** Rewrite the text of every <time> under `root` that has not been rewritten yet. */
export function localizeTimes(root) {
  for (const element of root.querySelectorAll("time[data-format]:not([data-localized])")) {
    const style = styles[element.dataset.format];
    const moment = new Date(element.dateTime);
    element.title = element.textContent.trim();
    element.textContent = new Intl.DateTimeFormat(document.documentElement.lang, style).format(moment);
    element.dataset.localized = "";
  }
}

localizeTimes(document);
