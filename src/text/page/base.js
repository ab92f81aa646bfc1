'use strict';
// What all pages share. The element `theme` is a button; `data` holds what text/page.cpp packed.
const $ = (id) => document.getElementById(id);

async function unpack(text) {
  const coded = atob(text.trim()), packed = new Uint8Array(coded.length);
  for (let i = 0; i < coded.length; ++i) packed[i] = coded.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// As the system has it, until the button is pressed. Calls `changed` at once and at each change.
function follow_theme(changed) {
  const set_dark = (on) => {
    document.documentElement.classList.toggle('dark', on);
    changed();
  };
  const prefers = matchMedia('(prefers-color-scheme: dark)');
  $('theme').addEventListener('click', () => set_dark(!document.documentElement.classList.contains('dark')));
  prefers.addEventListener('change', (event) => set_dark(event.matches));
  set_dark(prefers.matches);
}
