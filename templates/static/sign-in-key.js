/* Signing in with a key: the device finds it by itself; whoever is several says as what they come. */
(function () {
  "use strict";

  const button = document.getElementById("with-key");
  const ways = document.getElementById("ways");
  const error = document.getElementById("key-error");
  const ROLES = {
    committee: Village.say("key.role.committee"),
    carer: Village.say("key.role.carer"),
    township: Village.say("key.role.township"),
    station_officer: Village.say("key.role.station"),
    bureau_officer: Village.say("key.role.bureau"),
    engineer: Village.say("key.role.engineer"),
    auditor: Village.say("key.role.auditor"),
    admin: Village.say("key.role.admin"),
  };

  function tell(problem) {
    const words = Village.explain(problem.code, problem.status);
    error.textContent = words.what + " " + words.advice;
    button.disabled = false;
  }

  async function signIn() {
    error.textContent = "";
    button.disabled = true;
    try {
      const begun = await Passkey.answer("/api/v1/passkeys/sign-in/begin");
      const credential = await Passkey.get(begun.options);
      const body = { ceremony: begun.ceremony, credential };
      const found = await Passkey.answer("/api/v1/passkeys/sign-in/finish", body);
      if (found.signed_in) location.replace("/");
      else ask(found);
    } catch (problem) {
      tell(problem);
    }
  }

  /** One button a way to come in. */
  function ask(found) {
    ways.textContent = "";
    found.ways.forEach((way) => {
      const choice = document.createElement("button");
      choice.type = "button";
      choice.className = "quiet wide";
      choice.textContent = way.appointment
        ? ROLES[way.role] + " · " + way.unit_name
        : Village.say("key.at_home");
      choice.addEventListener("click", () => choose(found.ticket, way.appointment));
      ways.appendChild(choice);
    });
    ways.hidden = false;
    ways.querySelector("button").focus();
  }

  async function choose(ticket, appointment) {
    try {
      await Passkey.answer("/api/v1/passkeys/sign-in/choose", { ticket, appointment });
      location.replace("/");
    } catch (problem) {
      ways.hidden = true;
      tell(problem);
    }
  }

  if (Passkey.supported) {
    document.getElementById("key").hidden = false;
    button.addEventListener("click", signIn);
  }
})();
