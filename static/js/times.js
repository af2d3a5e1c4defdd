// Shows moments in the reader's own time zone; the server writes them in UTC.
/** Rewrite the text of every <time> under `root` that has not been rewritten yet. */
export function localizeTimes(root) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  for (const element of root.querySelectorAll("time[datetime]:not([data-localized])")) {
    element.title = element.textContent;
    element.textContent = format.format(new Date(element.dateTime));
    element.dataset.localized = "";
  }
}

localizeTimes(document);
