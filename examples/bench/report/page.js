"use strict";
// Tables that sort and filter, and the download of the data that the page carries. Without it all can be read as well.

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => {
      const cell = row.cells[column];
      if (cell.dataset.v === undefined) return cell.textContent;
      return cell.dataset.v === "" ? null : Number(cell.dataset.v);
    };
    const order = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b)) * (up ? 1 : -1);
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [key(row), row]);
    // What has no figure comes last, in either direction.
    rows.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : order(a, b)));
    body.append(...rows.map(([, row]) => row));
  }));
}

function filterable(tools) {
  const [field, count] = [tools.querySelector(".filter"), tools.querySelector(".count")];
  const rows = [...tools.nextElementSibling.querySelectorAll("tbody tr")];
  const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase());
  const apply = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    count.value = `${shown} of ${rows.length} rows`;
  };
  field.addEventListener("input", apply);
  apply();
}

function download(button) {
  const data = document.querySelectorAll("script.record")[button.dataset.record];
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([data.textContent], { type: "application/json" }));
    const name = data.dataset.name.split(/[\\/]/).pop();
    link.download = name.endsWith(".json") ? name : "record.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

document.querySelectorAll("table.sortable").forEach(sortable);
document.querySelectorAll(".tools").forEach(filterable);
document.querySelectorAll("button.download").forEach(download);
