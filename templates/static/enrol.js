/* Adding a key for duty with the code that two persons made. The code comes in the fragment. */
(function () {
  "use strict";

  const form = document.getElementById("enrol");
  const code = document.getElementById("code");
  const name = document.getElementById("name");
  const error = document.getElementById("error");
  const button = form.querySelector("button");

  async function enrol() {
    error.textContent = "";
    button.disabled = true;
    try {
      const body = { code: code.value.trim() };
      const begun = await Passkey.answer("/api/v1/passkeys/enrol/begin", body);
      const credential = await Passkey.create(begun.options);
      const answer = { ceremony: begun.ceremony, credential, name: name.value.trim() };
      await Passkey.answer("/api/v1/passkeys/enrol/finish", answer);
      location.replace("/sign-in");
    } catch (problem) {
      const words = Village.explain(problem.code, problem.status);
      error.textContent = words.what + " " + words.advice;
      button.disabled = false;
    }
  }

  const found = /(?:^#|&)code=([^&]+)/.exec(location.hash);
  if (found) {
    history.replaceState(null, "", location.pathname); // out of the history before it is used
    code.value = found[1];
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (code.value.trim() && name.value.trim()) enrol();
  });
})();
