// Sliders: each shows its picture's overlay from the left edge up to its position; the one above them moves all.
document.addEventListener('input', event => {
  const range = event.target;
  if (range.type !== 'range') {
    return;
  }

  for (const card of range.id === 'all' ? document.querySelectorAll('.card') : [range.closest('.card')]) {
    card.style.setProperty('--at', range.value + '%');
    card.querySelector('input').value = range.value;
  }
});
