/* What every page's script needs: the words, the hub's API, signing out. ES2018, no modules. */
(function (global) {
  "use strict";

  const WORDS = JSON.parse(document.getElementById("words").textContent);
  const ANSWER_WAIT = 10000; // ms

  /** The sentence for `key`, with `{name}` filled in; "" when the catalogue has none. */
  function say(key, values) {
    const text = WORDS[key] || "";
    return text.replace(/\{(\w+)\}/g, (whole, name) =>
      values && name in values ? String(values[name]) : whole
    );
  }

  /** What is wrong and what to do about it, for a code of the hub, an agent or this browser. */
  function explain(code, status) {
    const kind = status >= 500 ? "problem.server" : "problem.unknown";
    const named = ["trouble." + code, "problem." + code].find((key) => WORDS[key + ".what"]);
    return { what: say((named || kind) + ".what"), advice: say((named || kind) + ".do") };
  }

  /** An answer of the hub's API; throws {code, status} when it is not 2xx or does not come. */
  async function ask(path, request) {
    const cancel = new AbortController();
    const timer = setTimeout(() => cancel.abort(), ANSWER_WAIT);
    const settings = Object.assign({ signal: cancel.signal, cache: "no-store" }, request);
    let response = null;
    try {
      response = await fetch(path, settings);
    } catch (error) {
      throw failure(cancel.signal.aborted ? "no_answer" : "no_network", 0);
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }

  async function refusal(response) {
    let body = null;
    try {
      body = await response.json();
    } catch (error) {
      body = null; // not JSON: a proxy's page
    }
    const wait = Number(response.headers.get("Retry-After")) || 0;
    return failure((body && body.code) || "unknown", response.status, wait);
  }

  function failure(code, status, retryAfter) {
    return Object.assign(new Error(code), { code, status, retryAfter: retryAfter || 0 });
  }

  function post(path, body) {
    const headers = { "Content-Type": "application/json" };
    return ask(path, { method: "POST", headers, body: JSON.stringify(body || {}) });
  }

  function toSignIn() {
    global.location.assign("/sign-in");
  }

  /** The code that says most of a camera as the API describes it, and how bad that is. */
  function describe(camera) {
    if (camera.trouble) return { kind: camera.online ? "note" : "bad", code: camera.trouble };
    return camera.online ? { kind: "good", code: "" } : { kind: "bad", code: "agent_offline" };
  }

  async function signOut() {
    try {
      await post("/api/v1/sign-out");
    } catch (error) {
      if (error.status !== 401) {
        const report = document.getElementById("report");
        if (report) report.textContent = explain(error.code, error.status).what;
        return;
      }
    }
    toSignIn();
  }

  document.querySelectorAll("[data-sign-out]").forEach((button) => {
    button.addEventListener("click", signOut);
  });

  /** Stills as object URLs, so that each can be refused, timed and thrown away. */
  class Still {
    constructor(image, camera, purpose) {
      this.image = image;
      this.purpose = purpose;
      this.camera = "/api/v1/cameras/" + encodeURIComponent(camera);
      this.url = "";
    }

    /** Show a new one. Returns when it was taken (a Date); throws what `ask` throws. */
    async refresh() {
      const response = await ask(this.camera + "/still?purpose=" + encodeURIComponent(this.purpose));
      this.show(await response.blob());
      const taken = new Date(response.headers.get("Last-Modified") || Date.now());
      return isNaN(taken) ? new Date() : taken;
    }

    show(blob) {
      const old = this.url;
      this.url = URL.createObjectURL(blob);
      this.image.src = this.url;
      this.image.hidden = false;
      if (old) URL.revokeObjectURL(old);
    }
  }

  global.Village = { say, explain, ask, post, describe, toSignIn, Still };
})(window);
