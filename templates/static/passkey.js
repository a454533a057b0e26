/* Keys (WebAuthn) for the pages: the hub's JSON to what browsers want, and back. ES2018. */
(function (global) {
  "use strict";

  const supported = Boolean(global.PublicKeyCredential && navigator.credentials);

  function bytes(text) {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  }

  function text(buffer) {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function described(list) {
    return (list || []).map((each) => ({ ...each, id: bytes(each.id) }));
  }

  /** What the browser threw, as a code that the pages have words for. */
  function failure(error) {
    const codes = { InvalidStateError: "known_passkey", SecurityError: "no_dns_name" };
    const code = codes[error.name] || "key_cancelled";
    return Object.assign(new Error(code), { code, status: 0 });
  }

  /** The credential as JSON, for navigator.credentials.create's options as JSON. */
  async function create(options) {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: described(options.excludeCredentials),
    };
    let made = null;
    try {
      made = await navigator.credentials.create({ publicKey });
    } catch (error) {
      throw failure(error);
    }
    const response = made.response;
    return whole(made, {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports ? response.getTransports() : [],
    });
  }

  /** The same for navigator.credentials.get. */
  async function get(options) {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: described(options.allowCredentials),
    };
    let found = null;
    try {
      found = await navigator.credentials.get({ publicKey });
    } catch (error) {
      throw failure(error);
    }
    const response = found.response;
    return whole(found, {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    });
  }

  function whole(credential, response) {
    return {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: {},
    };
  }

  async function answer(path, body) {
    return (await Village.post(path, body)).json();
  }

  global.Passkey = { supported, create, get, answer };
})(window);
