// Shows the OpenAPI document with Swagger UI, and makes "Try it out" work.
// Not a module: its library is none, and puts itself into the global SwaggerUIBundle.
(() => {
  const { csrfToken } = document.body.dataset;
  const root = document.documentElement;

  /** Add the session's token to a request that changes something, on this server only. */
  function withToken(request) {
    const isOwn = new URL(request.url, window.location.href).origin === window.location.origin;
    const isSafe = ["GET", "HEAD"].includes((request.method ?? "GET").toUpperCase());
    if (isOwn && !isSafe) request.headers["X-CSRFToken"] = csrfToken;
    return request;
  }

  // Swagger UI has a dark look of its own; it follows the page's, which follows the system.
  const applyTheme = () => root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark");
  new MutationObserver(applyTheme).observe(root, { attributeFilter: ["data-bs-theme"] });
  applyTheme();

  window.SwaggerUIBundle({
    url: document.getElementById("api-docs").dataset.schemaUrl,
    dom_id: "#api-docs",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    docExpansion: "list",
    requestInterceptor: withToken,
    // Theirs asks a server on the internet whether the document is valid.
    validatorUrl: null,
  });
})();
