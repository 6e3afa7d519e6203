// No model yet: look every 2 s, and show the page of the first one.

const look = async () => {
  const health = await fetch("health", { cache: "no-store" }).then((response) => response.json()).catch(() => ({}));
  if (health.version) location.reload();
  else setTimeout(look, 2000);
};
setTimeout(look, 2000);
