// What a script adds to pages that work without one: keys, passkeys, counting down, charts.
(() => {
  'use strict';
  const all = (q, of = document) => [...of.querySelectorAll(q)];
  document.documentElement.classList.add('script');

  // j k: the row before and after; Enter opens it; c claims; 1-9 choose a step; ? tells the keys.
  let here = -1;
  const rows = () => all('[data-row]');
  const go = (to) => {
    const list = rows();
    if (!list.length) return;
    here = Math.max(0, Math.min(list.length - 1, to));
    list.forEach((row, n) => row.classList.toggle('here', n === here));
    const link = list[here].querySelector('a, summary, button');
    if (link) link.focus();
    list[here].scrollIntoView({ block: 'nearest' });
  };
  const choose = (n) => {
    const step = all('details[data-step]')[n - 1];
    if (!step) return false;
    step.open = true;
    const field = step.querySelector('select, textarea, input:not([type=hidden]), button');
    if (field) field.focus();
    step.scrollIntoView({ block: 'nearest' });
    return true;
  };
  const keys = () => document.getElementById('keys');
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input, textarea, select')) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    const done = {
      j: () => go(here + 1),
      k: () => go(here - 1),
      c: () => { const claim = document.querySelector('[data-claim]'); if (claim) claim.click(); },
      '?': () => keys() && keys().showModal(),
    }[event.key];
    if (done) { done(); event.preventDefault(); return; }
    if (/^[1-9]$/.test(event.key) && choose(Number(event.key))) event.preventDefault();
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-close]')) keys().close();
    if (event.target.closest('[data-keys]')) { keys().showModal(); event.preventDefault(); }
  });

  // Seconds that are left; at nought the page is asked anew.
  const count = () => all('[data-until]').forEach((place) => {
    const left = Math.ceil((Number(place.dataset.until) - Date.now()) / 1000);
    if (left > 0) { place.textContent = `${left} s`; return; }
    if (place.dataset.over) return;
    place.dataset.over = '1';
    place.textContent = '0 s';
    if (!document.querySelector('details[open] textarea')) setTimeout(() => location.reload(), 1200);
  });
  if (document.querySelector('[data-until]')) { count(); setInterval(count, 500); }

  // Bulk acts say how many they touch before they are sent.
  const bulk = document.querySelector('[data-bulk]');
  if (bulk) {
    const boxes = () => all('input[name=case]');
    const tell = () => { bulk.textContent = String(boxes().filter((b) => b.checked).length); };
    document.addEventListener('change', tell);
    tell();
  }

  // Charts: the picture that came with the page is replaced by one that can be read off.
  const draw = () => all('[data-chart]').forEach((place) => {
    if (!window.uPlot || place.classList.contains('drawn')) return;
    const data = JSON.parse(place.dataset.chart);
    if (data.days.length < 3) return; // a line needs more than a dot
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line') } };
    place.classList.add('drawn');
    new window.uPlot({
      width: place.clientWidth, height: 180, cursor: { drag: { x: false, y: false } },
      axes: [axis, axis],
      series: [{}, { label: data.label, stroke: colour('--link'), width: 1.5, fill: `${colour('--bar')}44` }],
    }, [data.days, data.values], place);
  });
  draw();
  document.addEventListener('htmx:afterSwap', draw);

  // Passkeys: bytes travel as base64url.
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const bytes = (base64) => Uint8Array.from(atob(base64.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const send = async (path, body, csrf) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    if (csrf) headers['x-csrf'] = csrf;
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body), credentials: 'same-origin' });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error.message);
    return said;
  };
  const assertion = async (asked) => {
    const given = await navigator.credentials.get({ publicKey: { challenge: bytes(asked.challenge), rpId: asked.rp, userVerification: 'required' } });
    return {
      challenge: asked.challenge, id: text(given.rawId), client_data: text(given.response.clientDataJSON),
      authenticator_data: text(given.response.authenticatorData), signature: text(given.response.signature),
    };
  };
  const acts = {
    'sign-in': async () => {
      const asked = await send('/sign-in/challenge', {});
      return send('/sign-in/passkey', await assertion(asked));
    },
    register: async (button) => {
      const asked = await send('/settings/passkeys/challenge', {}, button.dataset.csrf);
      const made = await navigator.credentials.create({ publicKey: {
        challenge: bytes(asked.challenge), rp: { id: asked.rp, name: 'Fairhold' },
        user: { id: bytes(asked.user), name: asked.name, displayName: asked.name },
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -8 }],
        excludeCredentials: asked.known.map((id) => ({ type: 'public-key', id: bytes(id) })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' }, attestation: 'none',
      } });
      return send('/settings/passkeys', { challenge: asked.challenge, client_data: text(made.response.clientDataJSON), attestation: text(made.response.attestationObject) }, button.dataset.csrf);
    },
    link: async (button) => {
      const asked = await send('/settings/passkeys/challenge', {}, button.dataset.csrf);
      return send('/settings/passkeys/link', await assertion(asked), button.dataset.csrf);
    },
  };
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-passkey]');
    if (!button) return;
    const said = document.getElementById('passkey-said');
    try {
      const done = await acts[button.dataset.passkey](button);
      location.assign(done.to);
    } catch (error) {
      said.hidden = false;
      said.textContent = error.name === 'InvalidStateError'
        ? 'This passkey is known here already, under this name or another. If both names are yours, link them.'
        : error.message;
    }
  });
})();
