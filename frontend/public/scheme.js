// Before anything is painted: the colours that were chosen. A file of its own, since no inline script is allowed.
(function () {
  var scheme = "dark";
  try {
    scheme = localStorage.getItem("radfuse-color-scheme") || scheme;
  } catch {
    // Storage may be forbidden: then it is dark.
  }
  if (scheme === "auto") scheme = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
})();
