for (const button of document.querySelectorAll('button[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    let said = 'Copied';
    try { await navigator.clipboard.writeText(text); } catch { said = 'Select it and copy'; }
    button.textContent = said;
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
}
