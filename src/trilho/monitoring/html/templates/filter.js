const field = document.getElementById("filter");
field.hidden = false;
field.addEventListener("input", () => {
  const wanted = field.value.trim().toLowerCase();
  if (wanted) document.getElementById("rest").open = true;
  for (const column of document.querySelectorAll("[data-column]")) {
    column.hidden = !column.dataset.column.toLowerCase().includes(wanted);
  }
});
