// Asks the browser for a passkey and posts its answer; the server alone judges it. Without this file the page offers another way.
(() => {
  const form = document.querySelector("form[data-passkey]");
  const isCreation = form?.dataset.passkey === "create";
  const parse = isCreation ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  if (!form || typeof window.PublicKeyCredential?.[parse] !== "function") {
    return;
  }
  const words = { NotAllowedError: "cancelled", AbortError: "cancelled", InvalidStateError: "known" };
  const say = (name) => {
    for (const sentence of form.querySelectorAll("[data-passkey-error]")) {
      sentence.hidden = sentence.dataset.passkeyError !== name;
    }
  };
  const ask = async () => {
    const publicKey = PublicKeyCredential[parse](JSON.parse(form.dataset.options));
    const answer = isCreation
      ? await navigator.credentials.create({ publicKey })
      : await navigator.credentials.get({ publicKey });
    form.elements.credential.value = JSON.stringify(answer);
    form.submit();
  };

  form.querySelector("[data-passkey-unavailable]").hidden = true;
  form.querySelector("[data-passkey-ready]").hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    say("");
    ask().catch((error) => say(words[error.name] ?? "failed"));
  });
})();
