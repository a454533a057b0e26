/* Opening a shared screen: its code, then its name and place to compare, then yes or no. */
(function () {
  "use strict";

  const form = document.getElementById("find");
  const code = document.getElementById("code");
  const error = document.getElementById("error");
  const found = document.getElementById("found");
  const report = document.getElementById("report");

  function tell(problem) {
    const words = Village.explain(problem.code, problem.status);
    error.textContent = words.what + " " + words.advice;
  }

  async function look() {
    error.textContent = "";
    report.textContent = "";
    found.hidden = true;
    try {
      const body = { user_code: code.value.trim() };
      const screen = await (await Village.post("/api/v1/devices/look", body)).json();
      document.getElementById("screen-name").textContent = screen.device_name;
      document.getElementById("screen-place").textContent = screen.place || "–";
      found.hidden = false;
      document.getElementById("opens").focus();
    } catch (problem) {
      tell(problem);
    }
  }

  async function answer(opens) {
    error.textContent = "";
    try {
      await Village.post("/api/v1/devices/answer", { user_code: code.value.trim(), opens });
      report.textContent = Village.say(opens ? "device.opened" : "device.refused");
      found.hidden = true;
      code.value = "";
    } catch (problem) {
      tell(problem);
    }
  }

  const given = /(?:^#|&)code=([^&]+)/.exec(location.hash);
  if (given) {
    history.replaceState(null, "", location.pathname);
    code.value = given[1];
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (code.value.trim()) look();
  });
  document.getElementById("opens").addEventListener("click", () => answer(true));
  document.getElementById("refuses").addEventListener("click", () => answer(false));
})();
