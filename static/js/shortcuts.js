// Single keys: `/` searches, `?` lists them all, `g` and a letter goes to a page of the rail. They can be switched off.
const SETTING = "fc-shortcuts";
const SEQUENCE_MILLISECONDS = 1500;
const help = document.getElementById("shortcuts");
const enabled = document.getElementById("shortcuts-on");
let since = -Infinity;

/** Whether keys belong to what has the focus: they are text there. */
function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

enabled.checked = localStorage.getItem(SETTING) !== "off";
enabled.addEventListener("change", () => {
  if (enabled.checked) localStorage.removeItem(SETTING);
  else localStorage.setItem(SETTING, "off");
});

document.addEventListener("keydown", (event) => {
  if (!enabled.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const goes = event.timeStamp - since < SEQUENCE_MILLISECONDS;
  since = -Infinity;
  if (goes) {
    const link = document.querySelector(`.rail [data-key="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    }
  } else if (event.key === "g") {
    since = event.timeStamp;
  } else if (event.key === "?") {
    event.preventDefault();
    help.showModal();
  } else if (event.key === "/") {
    event.preventDefault();
    openPalette();
  }
});
