// Before anything is painted: the theme that was chosen here, and how wide and how large documents are.
try {
  const root = document.documentElement;
  const chosen = localStorage.getItem("footnote/theme");
  if (chosen) root.dataset.theme = chosen;
  for (const name of ["share", "zoom", "size"]) {
    const value = Number(localStorage.getItem(`footnote/reader-${name}`));
    if (value) root.style.setProperty(`--reader-${name}`, String(value));
  }
} catch {
  // A browser that keeps nothing shows its own theme.
}
