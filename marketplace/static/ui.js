/* Progressive enhancement only: every page works without it. */
(function () {
  "use strict";
  var doc = document;
  doc.documentElement.classList.add("js");

  function each(list, act) { Array.prototype.forEach.call(list, act); }

  /* Menus and filters that fold on small screens. */
  doc.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-toggle]");
    if (!button) return;
    var target = doc.getElementById(button.getAttribute("data-toggle"));
    if (target) button.setAttribute("aria-expanded", String(target.classList.toggle("on")));
  });

  /* Rows of a form that repeat: a copy of the <template> with __n__ replaced by the next number.
     Without scripts the same button submits the form and the server adds the row. */
  doc.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-add-row]");
    if (!button) return;
    var name = button.getAttribute("data-add-row");
    var pattern = doc.getElementById(name + "-template"), rows = doc.getElementById(name + "-rows");
    if (!pattern || !rows) return;
    event.preventDefault();
    var next = Number(rows.getAttribute("data-next") || rows.children.length);
    rows.setAttribute("data-next", String(next + 1));
    rows.insertAdjacentHTML("beforeend", pattern.innerHTML.replace(/__n__/g, String(next)));
    var first = rows.lastElementChild && rows.lastElementChild.querySelector("input:not([type=hidden]),select,textarea");
    if (first) first.focus();
  });

  doc.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-remove-row]");
    var row = button && button.closest(".rows-edit");
    if (!row) return;
    var next = row.nextElementSibling || row.previousElementSibling || row.parentNode.parentNode.querySelector("[data-add-row]");
    row.parentNode.removeChild(row);
    var target = next && (next.matches("button") ? next : next.querySelector("input:not([type=hidden]),select,textarea"));
    if (target) target.focus();
  });

  /* A question before an act that is hard to undo, and no second sending while the first is on its way. */
  doc.addEventListener("submit", function (event) {
    var form = event.target, question = form.getAttribute("data-confirm");
    if (question && !window.confirm(question)) { event.preventDefault(); return; }
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.hasAttribute("data-sent")) { event.preventDefault(); return; }
    form.setAttribute("data-sent", "");
    /* Somebody who stopped the browser may send again. */
    window.setTimeout(function () { form.removeAttribute("data-sent"); }, 10000);
  });
  /* The page may come back from the browser's history: its forms may be sent again. */
  window.addEventListener("pageshow", function () {
    each(doc.querySelectorAll("form[data-sent]"), function (form) { form.removeAttribute("data-sent"); });
  });

  doc.addEventListener("change", function (event) {
    var control = event.target;
    if (control.hasAttribute && control.hasAttribute("data-submit-on-change") && control.form) control.form.submit();
  });

  /* A table that does not fit becomes a focusable, named scroll region. */
  function nameScrolling(root) {
    each(root.querySelectorAll(".tw:not([tabindex])"), function (box) {
      if (box.scrollWidth <= box.clientWidth + 1) return;
      var named = box.querySelector("caption") || box.parentNode.querySelector("h2 span");
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", (named ? named.textContent : "") + doc.body.getAttribute("data-scrolls"));
    });
  }
  /* What fitted may not fit after the telephone was turned. */
  window.addEventListener("resize", function () { nameScrolling(doc); });

  function enhance(root) {
    nameScrolling(root);
    /* Phone cards change `display` and so lose the meaning of a table: give the roles back. */
    each(root.querySelectorAll(".dt-cards:not([role])"), function (table) {
      table.setAttribute("role", "table");
      each(table.querySelectorAll("thead,tbody,tfoot"), function (group) { group.setAttribute("role", "rowgroup"); });
      each(table.querySelectorAll("tr"), function (row) {
        row.setAttribute("role", "row");
        each(row.children, function (cell) {
          var heads = cell.parentNode.parentNode.tagName === "THEAD";
          cell.setAttribute("role", cell.tagName === "TD" ? "cell" : heads ? "columnheader" : "rowheader");
        });
      });
    });
    each(root.querySelectorAll("[data-indeterminate]"), function (box) { box.indeterminate = true; });
    each(root.querySelectorAll("[data-seen]"), tellSeen);
  }

  /* Tells the site that lines of a list were shown: a small writing request after the page, which only reads. */
  function tellSeen(mark) {
    var token = doc.querySelector('meta[name="csrf-token"]'), body = new URLSearchParams();
    if (!token || !window.fetch) return;
    mark.getAttribute("data-lines").split(",").forEach(function (line) { body.append("line", line); });
    if (mark.hasAttribute("data-opened")) body.append("opened", "1");
    window.fetch(mark.getAttribute("data-seen"), {
      method: "POST", body: body, headers: { "X-CSRFToken": token.content }, credentials: "same-origin", keepalive: true,
    }).catch(function () { /* nobody waits for it */ });
    mark.removeAttribute("data-seen");
  }

  /* Tabs that are anchors: mark the section in view. */
  function followSections() {
    var tabs = [].slice.call(doc.querySelectorAll('.tabs.sticky a[href^="#"]'));
    if (!tabs.length || !window.IntersectionObserver) return;
    var watcher = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting) return;
        tabs.forEach(function (tab) {
          if (tab.getAttribute("href") === "#" + entry.target.id) tab.setAttribute("aria-current", "true");
          else tab.removeAttribute("aria-current");
        });
      });
    }, { rootMargin: "-56px 0px -70% 0px" });
    tabs.forEach(function (tab) {
      var section = doc.getElementById(tab.getAttribute("href").slice(1));
      if (section) watcher.observe(section);
    });
  }

  enhance(doc);
  followSections();
  var summary = doc.querySelector("[data-focus]");
  if (summary) summary.focus();

  /* htmx: send the token with every write, and enhance what was swapped in. */
  doc.addEventListener("htmx:configRequest", function (event) {
    var token = doc.querySelector('meta[name="csrf-token"]');
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
  });
  ["htmx:sendError", "htmx:responseError"].forEach(function (name) {
    doc.addEventListener(name, function (event) {
      var main = doc.getElementById("main"), note = doc.createElement("div");
      note.className = "note bad flash";
      note.setAttribute("role", "alert");
      note.textContent = doc.body.getAttribute("data-failed");
      var xhr = event.detail && event.detail.xhr, number = xhr && xhr.getResponseHeader("X-Request-Id");
      if (number) note.textContent += " " + doc.body.getAttribute("data-number") + " " + number;
      if (main) main.insertBefore(note, main.firstChild);
    });
  });
  doc.addEventListener("htmx:afterSettle", function (event) { enhance(event.target); });
})();
