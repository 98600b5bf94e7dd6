// Before anything is painted: the theme that was chosen here, where one was.
try {
  const chosen = localStorage.getItem("footnote/theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
  // A browser that keeps nothing shows its own theme.
}
