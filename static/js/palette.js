// The search of Ctrl-K: opens the dialog, and lets the arrows walk through what htmx put into it.
const palette = document.getElementById("palette");
const query = document.getElementById("palette-query");
const results = document.getElementById("palette-results");

/** Opens the dialog, with what was looked for last, and asks for its lines. */
function openPalette() {
  if (palette.open) return;
  document.querySelectorAll("dialog[open]").forEach((other) => other.close());
  results.replaceChildren();
  palette.showModal();
  query.select();
  htmx.trigger(query, "palette");
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  openPalette();
});

// The field in the bar is the search without scripts; with them, both it and the glass lead to the dialog.
document.querySelector(".search-narrow").addEventListener("click", (event) => {
  event.preventDefault();
  openPalette();
});

palette.addEventListener("keydown", (event) => {
  const lines = [...results.querySelectorAll("a")];
  const at = lines.indexOf(document.activeElement);
  if (event.key === "ArrowDown" && lines.length) {
    event.preventDefault();
    lines[(at + 1) % lines.length].focus();
  } else if (event.key === "ArrowUp" && at >= 0) {
    event.preventDefault();
    (lines[at - 1] ?? query).focus();
  } else if (event.key === "Enter" && document.activeElement === query && lines.length && query.value.trim()) {
    event.preventDefault();
    lines[0].click();
  } else if (at >= 0 && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
    query.focus();
  }
});

// Lines that belong to an older query are never opened: Enter waits for those of this one.
query.addEventListener("input", () => results.replaceChildren());

// A dialog closes by its button, and by a click beside it.
document.querySelectorAll("dialog").forEach((dialog) => {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
});
document.addEventListener("click", (event) => {
  const opening = event.target.closest("[data-open]");
  if (!opening) return;
  opening.closest(":popover-open")?.hidePopover();  // gives the focus to the menu's button, where the dialog gives it back
  document.getElementById(opening.dataset.open).showModal();
});
