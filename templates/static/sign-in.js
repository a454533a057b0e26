/* Signing in: the one-time code comes in the fragment, which browsers send to no server, or typed. */
(function () {
  "use strict";

  const form = document.getElementById("sign-in");
  const field = document.getElementById("code");
  const error = document.getElementById("error");
  const button = form.querySelector("button");

  /** A link that was opened before, by somebody who is signed in: to the cameras. */
  async function isSignedIn() {
    try {
      await Village.ask("/api/v1/cameras");
      return true;
    } catch (problem) {
      return false;
    }
  }

  async function signIn(code, byLink) {
    error.textContent = "";
    button.disabled = true;
    try {
      await Village.post("/api/v1/sign-in", { code });
      // Replaces this entry: going back must not come to a page with a spent code.
      location.replace("/");
    } catch (problem) {
      const wrong = problem.status === 401 || problem.status === 403 || problem.status === 404;
      if (wrong && byLink && (await isSignedIn())) {
        location.replace("/");
        return;
      }
      const code = problem.code === "unknown" && wrong ? "bad_code" : problem.code;
      const words = Village.explain(code, problem.status);
      error.textContent = words.what + " " + words.advice;
      button.disabled = false;
      field.focus();
    }
  }

  function fromFragment() {
    const found = /(?:^#|&)code=([^&]+)/.exec(location.hash);
    if (!found) return;
    // Out of the address bar, the history and any screenshot before it is used.
    history.replaceState(null, "", location.pathname);
    let code = "";
    try {
      code = decodeURIComponent(found[1]);
    } catch (malformed) {
      code = found[1];
    }
    field.value = code;
    signIn(code, true);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const code = field.value.trim();
    if (code) signIn(code, false);
    else field.focus();
  });
  window.addEventListener("hashchange", fromFragment);
  fromFragment();
})();
