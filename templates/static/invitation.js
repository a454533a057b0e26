/* Coming with an invitation: the link's secret from the fragment, the code that was told. ES2018. */
(function () {
  "use strict";

  const at = (id) => document.getElementById(id);
  const link = new URLSearchParams(location.hash.slice(1)).get("link") || "";
  history.replaceState(null, "", location.pathname); // not in the history, not over a shoulder

  let known = false; // signed in: my name is known

  function come(code) {
    if (known) return Village.post("/api/v1/me/invitations", { link, code });
    const name = at("name").value.trim();
    return Village.post("/api/v1/invitations/join", { link, code, name });
  }

  async function lookWho() {
    try {
      await Village.ask("/api/v1/me");
    } catch (problem) {
      return; // somebody new
    }
    known = true;
    at("who").hidden = true;
  }

  lookWho();
  at("join").addEventListener("submit", async (event) => {
    event.preventDefault();
    at("report").textContent = "";
    try {
      await come(at("code").value.trim());
      at("join").hidden = true;
      at("done").textContent = Village.say("invitation.done");
    } catch (problem) {
      const code = problem.status === 422 ? "bad_invitation" : problem.code;
      const words = Village.explain(code, problem.status);
      at("report").textContent = words.what + " " + words.advice;
    }
  });
})();
