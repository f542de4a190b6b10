// Passkeys: a <form data-passkey="create|get" data-options="/address/"> asks there what is wanted, lets the browser
// make or show a passkey, and posts that. Without this script, or in a browser without passkeys, it stays hidden.

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (each) => ({ ...each, id: toBytes(each.id) });

const ways = {
  async create({ publicKey: asked }) {
    const made = await navigator.credentials.create({
      publicKey: {
        ...asked,
        challenge: toBytes(asked.challenge),
        user: named(asked.user),
        excludeCredentials: (asked.excludeCredentials || []).map(named),
      },
    });
    return {
      clientDataJSON: toText(made.response.clientDataJSON),
      attestationObject: toText(made.response.attestationObject),
      credential: made,
    };
  },
  async get({ publicKey: asked }) {
    const shown = await navigator.credentials.get({
      publicKey: {
        ...asked,
        challenge: toBytes(asked.challenge),
        allowCredentials: (asked.allowCredentials || []).map(named),
      },
    });
    const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
    return {
      clientDataJSON: toText(clientDataJSON),
      authenticatorData: toText(authenticatorData),
      signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : null,
      credential: shown,
    };
  },
};

const ceremony = async (form) => {
  const answer = await fetch(form.dataset.options, {
    method: "POST",
    body: new FormData(form),
    headers: { Accept: "application/json" },
    redirect: "error",
  });
  const options = await answer.json();
  if (!answer.ok) throw new Error(options.detail);
  const { credential, ...response } = await ways[form.dataset.passkey](options);
  form.elements.credential.value = JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
  form.submit();
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) break;
  const fault = form.querySelector("[data-passkey-fault]");
  const button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fault.hidden = true;
    button.disabled = true;
    try {
      await ceremony(form);
    } catch {
      // Cancelled, timed out, refused by the device or by us: the person tries again, or goes another way.
      fault.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
}
