// Says in words why a passkey was not used. The words stand in the page, in the reader's language; what to say is named
// by the browser's error.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const words = document.getElementById("passkey-words").dataset;
  toast("error", words[event.detail.exception?.name.toLowerCase()] ?? words.other);
});
