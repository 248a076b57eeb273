// The documentation: copies the code beside a button, and fills the reader's secret into the samples of this page.
// Without it the pages are whole; code is then selected by hand.

/** The code as it should be pasted: a key that is only hinted at is replaced by the variable that holds it. */
function code(button) {
  const shown = button.closest("figure").querySelector("code").cloneNode(true);
  shown.querySelectorAll(".key").forEach((key) => { key.textContent = key.dataset.key; });
  return shown.textContent;
}

// Before app.js, which copies what `data-copy` says and tells of it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy-code]");
  if (button) button.dataset.copy = code(button);
}, true);

// A secret typed here is kept in the page alone. Live keys are not taken: a sample is no place for one.
document.querySelectorAll("[data-secret]").forEach((field) => {
  const keys = [...document.querySelectorAll(".key")].map((element) => ({ element, shown: element.textContent, variable: element.dataset.key }));
  field.form.addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("input", () => {
    const secret = field.value.trim();
    field.setCustomValidity(secret.startsWith("fc_live_") ? "A live key does not belong into a sample." : "");
    field.reportValidity();
    const given = /^fc_test_\w+$/.test(secret);
    for (const { element, shown, variable } of keys) {
      element.textContent = given ? `${secret.slice(0, 8)}…${secret.slice(-4)}` : shown;
      element.dataset.key = given ? secret : variable;
    }
  });
});

// On a phone the list of what is on the page waits until it is asked for.
if (matchMedia("(width < 75rem)").matches) {
  document.querySelectorAll(".contents details").forEach((list) => { list.open = false; });
}

// Ctrl-K (⌘K) goes to the search.
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  document.getElementById("search").select();
});
