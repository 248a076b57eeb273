// Passkeys' buttons open once somebody listens to them: a click on a page still loading would do nothing. allauth's
// `onload.js` stands before this script and so ties its buttons first.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("button[data-passkey]")) button.disabled = false;
});

// Says in words why a passkey was not used. The words stand in the page, in the reader's language; what to say is named
// by the browser's error.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const words = document.getElementById("passkey-words").dataset;
  toast("error", words[event.detail.exception?.name.toLowerCase()] ?? words.other);
});
