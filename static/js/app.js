// The little the pages cannot do in HTML: copying, dismissing toasts, and telling of failed partial requests.
// Everything else works without it.
const TOAST_MILLISECONDS = 6000;

/** What scripts say, in the language of the page. */
const words = document.getElementById("words").dataset;

/** Copies the text named by `data-copy` and says so on the button, for eyes and for screen readers. */
async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    toast("error", words.copyRefused);
    return;
  }
  button.classList.add("copied");
  document.getElementById("announcer").textContent = words.copied;
  setTimeout(() => button.classList.remove("copied"), 1500);
}

/** Adds a toast of the page's own `<template id="toast">`; `text` is never read as HTML. */
function toast(level, text) {
  const made = document.getElementById("toast").content.cloneNode(true).firstElementChild;
  made.classList.add(level);
  if (level === "error") made.setAttribute("role", "alert");
  made.querySelector("p").textContent = text;
  document.getElementById("toasts").append(made);
  expire(made);
}

/** Receipts leave by themselves; errors, warnings and what can be undone stay until they are dismissed. */
function expire(made) {
  if (made.matches(".error, .warning") || made.querySelector("form")) return;
  const timer = setTimeout(() => made.remove(), TOAST_MILLISECONDS);
  made.addEventListener("focusin", () => clearTimeout(timer));
  made.addEventListener("pointerenter", () => clearTimeout(timer));
}

/** Scrolls the rail to where one is, when the rail is higher than the window. Focus stays at the top of the page. */
function showCurrentPage() {
  const rail = document.getElementById("rail");
  const current = rail?.querySelector("[aria-current=page]");
  if (!current) return;
  const hidden = current.getBoundingClientRect().bottom - rail.getBoundingClientRect().bottom;
  if (hidden > 0) rail.scrollTop += hidden + current.offsetHeight;
}
showCurrentPage();
document.getElementById("rail")?.addEventListener("toggle", showCurrentPage);

document.addEventListener("click", (event) => {
  const copying = event.target.closest("[data-copy]");
  if (copying) copy(copying);
  const dismissing = event.target.closest("[data-dismiss]");
  if (dismissing) dismiss(dismissing.closest(".toast"));
});

// A toast that is dismissed by keyboard hands the focus to the next one, and the last one to where it was before.
const toasts = document.getElementById("toasts");
let before = null;
toasts.addEventListener("focusin", (event) => {
  if (!toasts.contains(event.relatedTarget)) before = event.relatedTarget;
});
function dismiss(made) {
  const other = made.nextElementSibling ?? made.previousElementSibling;
  const next = other?.querySelector("[data-dismiss]") ?? (before?.isConnected ? before : document.getElementById("main"));
  if (made.contains(document.activeElement)) next?.focus();
  made.remove();
}

// A form that was refused opens at the first field to be mended: on a phone it may stand far below.
document.querySelector("main form [aria-invalid=true]")?.focus();

// A filter is saved as the address has it now, which htmx may have changed since the page was drawn.
document.addEventListener("submit", (event) => {
  const field = event.target.querySelector("[data-current-query]");
  if (field) field.value = location.search;
});

// A form sent twice is a payment made twice: the second click finds the button disabled.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(() => form.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = true; }));
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.querySelectorAll("button[type=submit]").forEach((button) => {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  });
});

// A filter that is not set stays out of the address.
document.addEventListener("htmx:configRequest", (event) => {
  const { verb, parameters } = event.detail;
  if (verb !== "get") return;
  for (const name of Object.keys(parameters)) if (parameters[name] === "") delete parameters[name];
});

/** Says that a partial request failed: in a toast that stays, and in place of the list that did not come. */
function failed(event, text) {
  toast("error", text);
  const sign = document.getElementById("list-error");
  if (event.detail.target?.id === "results" && sign) {
    const shown = sign.content.cloneNode(true);
    const again = shown.querySelector("a");
    again.href = event.detail.pathInfo?.finalRequestPath ?? location.href;
    const hadFocus = event.detail.target.contains(document.activeElement);
    event.detail.target.replaceWith(shown);
    if (hadFocus) again.focus();
  }
}
document.addEventListener("htmx:responseError", (event) => failed(event, words.serverError));
document.addEventListener("htmx:sendError", (event) => failed(event, words.noConnection));

// A part that is drawn anew takes the focus with it. The same control gets it back; whoever asked for the part in it
// (another page of a list), or was at something that has gone, comes to the part itself.
let held = null;
function mark(control) {
  return control.id || control.getAttribute("href") || control.dataset.copy || control.getAttribute("aria-label");
}
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig } = event.detail;
  const at = document.activeElement;
  held = target.contains(at) ? { part: target.id, mark: requestConfig.elt === at ? null : mark(at) } : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (!held || document.activeElement !== document.body) return;
  const part = document.getElementById(held.part);
  const controls = [...part?.querySelectorAll("a, button, summary, [tabindex]") ?? []];
  controls.find((control) => held.mark && mark(control) === held.mark)?.focus({ preventScroll: true });
  if (!part || document.activeElement !== document.body) return;
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
});
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.target.id === "toasts") event.target.querySelectorAll(".toast").forEach(expire);
});
document.querySelectorAll(".toast").forEach(expire);
