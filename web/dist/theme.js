// Sets the theme before anything is painted. A file of its own, since the content security policy allows no script in
// the page.
(() => {
  try {
    const kept = localStorage.getItem('stdops.theme');
    if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
  } catch {
    // No storage: the theme of the system.
  }
})();
