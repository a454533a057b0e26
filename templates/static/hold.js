/* A button that acts once it was held for `ms`, by finger, mouse or key: nobody calls for help by
   brushing against it. ES2018, no modules. */
(function (global) {
  "use strict";

  function hold(button, ms, then) {
    let timer = 0;
    const stop = () => {
      clearTimeout(timer);
      timer = 0;
      button.classList.remove("held");
    };
    const start = () => {
      if (timer) return;
      button.classList.add("held");
      timer = setTimeout(() => {
        stop();
        then();
      }, ms);
    };
    button.addEventListener("pointerdown", start);
    ["pointerup", "pointerleave", "pointercancel", "blur"].forEach((name) => button.addEventListener(name, stop));
    button.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        start();
      }
    });
    button.addEventListener("keyup", stop);
    button.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  global.hold = hold;
})(window);
