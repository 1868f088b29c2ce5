// Keys of a page are those of its buttons: data-key="j".
document.addEventListener('keydown', event => {
    // A key that is held says something of one part, not of all that follow.
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.target.closest('input, select, textarea')) return;
    const button = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button && !button.disabled) { event.preventDefault(); button.click(); }
});
// How much of the map is seen, on every picture of the page.
document.addEventListener('input', event => {
    if (event.target.matches('[data-blend]')) document.documentElement.style.setProperty('--blend', event.target.value / 100);
});
document.addEventListener('click', event => { if (event.target.closest('[data-print]')) window.print(); });
