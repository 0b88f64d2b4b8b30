// What people do here, done by a real browser. Each check either holds or ends the run with 1.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [binary, data, kept, modules] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require('playwright-core');
const axe = require('axe-core');

const report = { checks: [], pages: {}, requests: 0, elsewhere: [], violations: [], seconds: 0 };
const began = Date.now();
const check = (name, holds, detail = '') => {
  report.checks.push({ name, holds: Boolean(holds), detail: String(detail).slice(0, 500) });
  if (!holds) throw new Error(`${name}: ${detail}`);
};

const cli = (...args) => {
  const out = execFileSync(binary, [...args, '--data', `${data}/house`, '--json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return JSON.parse(out);
};
const served = JSON.parse(readFileSync(`${data}/serve.json`, 'utf8'));
const gateway = served.gateway.replace('127.0.0.1', 'localhost');
const home = served.console;

// A house with customers, their traffic, and people who work in it.
const keys = {};
for (const account of ['acme-1', 'acme-2', 'plain-1', 'plain-2']) {
  cli('account', 'create', account, '--project', account, '--organisation', account.split('-')[0], '--requests-per-day', '1000');
  keys[account] = cli('key', 'create', account).key;
}
cli('account', 'link', 'acme-1', '--payment', 'card-1');
cli('account', 'link', 'acme-2', '--payment', 'card-1');
const ask = (account, text = 'What is a quorum?') => fetch(`${gateway}/v1/chat/completions`, {
  method: 'POST', headers: { authorization: `Bearer ${keys[account]}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'mock-1', messages: [{ role: 'user', content: text }] }),
});
for (let n = 0; n < 24; n += 1) {
  await Promise.all(Object.keys(keys).map((account) => ask(account, `Write question ${n} of a quiz about ${account}, with four answers.`)));
}
const hire = (name, role) => cli('people', 'invite', name, '--role', role).url;

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });

// Every page is watched: where its requests go, and what its policy refused.
const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(8000);
  context.on('request', (request) => {
    report.requests += 1;
    const host = new URL(request.url()).hostname;
    if (host !== 'localhost') report.elsewhere.push(request.url());
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (/content security policy|refused to/i.test(message.text())) report.violations.push(message.text());
  });
  page.on('pageerror', (error) => report.violations.push(String(error)));
  return page;
};

const looked = async (page, name) => {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const faults = found.violations.map((v) => ({ id: v.id, impact: v.impact, nodes: v.nodes.map((n) => n.html.slice(0, 160)).slice(0, 4) }));
  report.pages[name] = faults;
  const serious = faults.filter((f) => ['serious', 'critical'].includes(f.impact));
  await page.screenshot({ path: `${kept}/${name}.png`, fullPage: true });
  check(`axe finds nothing serious on ${name}`, serious.length === 0, JSON.stringify(serious));
};
const shot = (page, name) => page.screenshot({ path: `${kept}/${name}.png`, fullPage: true });

const enter = async (page, url) => {
  await page.goto(url);
  await page.locator('main form button.primary').click();
  await page.waitForURL(/\/(settings|portal)/);
};
const press = (page, button) => Promise.all([page.waitForEvent('load'), button.click()]);
const said = (page) => page.locator('[role=status], [role=alert]').first().innerText();

const openCase = async (page, account, restsOn = '', others = []) => {
  await page.goto(`${home}/accounts/${account}`);
  const form = page.locator('#open');
  await form.locator('summary').click();
  await form.locator('[name=accounts]').evaluate((field, all) => { field.value = all; }, [account, ...others].join(' '));
  await form.locator('[name=clause]').fill('openai-services-2026-01-01/3.3(e)');
  await form.locator('[name=facts]').fill(`Over one day ${account} sent 24 prompts that fill in one frame: a question for a quiz with four answers.`);
  await form.locator('[name=exculpatory]').fill('No declaration of purpose was found; the volume is small.');
  if (restsOn) await form.locator('[name=rests_on]').fill(restsOn);
  await form.locator('button.primary').click();
  await page.waitForURL(/\/cases\/case-/);
  return new URL(page.url()).pathname.split('/')[2];
};

// Opens the step of that name on a case's page and fills what every decision needs.
const step = async (page, words, fields = {}, reason = 'The facts are plain and the frame is the same.') => {
  const details = page.locator('details[data-step]', { hasText: words }).first();
  if (!(await details.evaluate((d) => d.open))) await details.locator('summary').click();
  for (const [name, value] of Object.entries(fields)) {
    const field = details.locator(`[name=${name}]`);
    if (await field.evaluate((f) => f.tagName === 'SELECT')) await field.selectOption(value);
    else await field.fill(value);
  }
  await details.locator('[name=clause]').selectOption({ index: 1 });
  await details.locator('[name=reason]').fill(reason);
  await press(page, details.locator('button.primary'));
};

const until = async (page, id, state) => {
  for (let n = 0; n < 60; n += 1) {
    await page.goto(`${home}/cases/${id}`);
    if ((await page.locator('.head .state').first().innerText()) === state) return;
    await page.waitForTimeout(150);
  }
  throw new Error(`case ${id} did not become ${state}`);
};
const pending = async (page, id) => {
  for (let n = 0; n < 60; n += 1) {
    await page.goto(`${home}/cases/${id}`);
    if (await page.getByText('proposes to').count()) return;
    await page.waitForTimeout(150);
  }
  throw new Error(`nothing is proposed in ${id}`);
};

// A virtual authenticator, as a laptop's fingerprint reader is one.
const authenticator = async (page) => {
  const client = await page.context().newCDPSession(page);
  await client.send('WebAuthn.enable');
  await client.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
};

const appeal = async (page, account, id) => {
  await page.goto(`${gateway}/fairhold/portal/sign-in`);
  await page.locator('[name=key]').fill(keys[account]);
  await page.locator('button.primary').click();
  await page.waitForURL(/portal/);
  check(`${account} sees its own case`, await page.getByText(id).count() > 0);
  await page.goto(`${gateway}/fairhold/portal/cases/${id}`);
  const text = await page.locator('main').innerText();
  check(`${account} reads clause, measure and redress`, /3\.3\(e\)/.test(text) && /suspend/i.test(text) && /appeal/i.test(text), text);
  const form = page.locator('form', { has: page.locator('[value=appeal]') });
  await form.locator('[name=text]').fill('The prompts are our own course material; the contract and the syllabus are attached.');
  await form.locator('[name=files]').setInputFiles([
    { name: 'syllabus.txt', mimeType: 'text/plain', buffer: Buffer.from('Unit 1: quorums. Unit 2: leases.') },
    { name: 'volumes.csv', mimeType: 'text/csv', buffer: Buffer.from('day,requests\n2026-01-01,24\n') },
  ]);
  await form.locator('button').click();
  await page.waitForURL(/told=sent/);
};

// The core journey: a case from the queue to a suspension with a second person, an appeal with
// files, and another person who overturns it. Once with a script and once without.
const core = async (account, script) => {
  const word = script ? 'with a script' : 'without a script';
  const options = { javaScriptEnabled: script };
  const [one, two, three, customer] = [await open(options), await open(options), await open(options), await open(options)];
  await enter(one, hire('ann', 'reviewer'));
  await enter(two, hire('bob', 'approver'));
  await enter(three, hire('cat', 'approver'));
  const id = await openCase(one, account);
  await one.goto(`${home}/queue`);
  check(`the case is in the queue ${word}`, await one.getByText(id).count() > 0);
  await one.goto(`${home}/cases/${id}`);
  await press(one, one.locator('[data-claim]'));
  check(`a claim is told ${word}`, /yours/.test(await said(one)));
  await two.goto(`${home}/cases/${id}`);
  check(`others see the claim ${word}`, await two.getByText('ann works on it').count() > 0);
  await step(one, 'Emergency');
  check(`the emergency acts at once ${word}`, (await one.locator('.head .state').first().innerText()) === 'throttled');
  await step(one, 'Propose a measure', { measure: 'suspend' });
  check(`a decision can be undone ${word}`, /undo/i.test(await said(one)), await said(one));
  await press(one, one.getByRole('button', { name: 'Undo' }));
  check(`undoing is told ${word}`, /Taken back/.test(await said(one)));
  await step(one, 'Propose a measure', { measure: 'suspend' });
  await pending(two, id);
  await step(two, 'Approve what is proposed', {}, 'I read the prompts and agree.');
  await until(two, id, 'suspended');
  const refused = await ask(account);
  check(`the gateway refuses ${word}`, refused.status === 403 && (await refused.json()).error.code === 'account_suspended', refused.status);
  await appeal(customer, account, id);
  if (script) await looked(customer, 'portal-case');
  await until(three, id, 'appealed');
  check(`the files are there ${word}`, await three.getByText('syllabus.txt').count() > 0);
  await until(two, id, 'appealed');
  await step(two, 'Overturn', {}, 'I change my mind.');
  check(`whoever took part cannot decide the appeal ${word}`, /took part|no part/.test(await said(two)), await said(two));
  await until(three, id, 'appealed');
  await step(three, 'Overturn', {}, 'The syllabus shows the purpose.');
  await until(three, id, 'overturned');
  const back = await ask(account);
  check(`the account is reinstated ${word}`, back.status === 200, back.status);
  return { id, one, two, three, customer };
};

try {
  // One person with two names.
  const page = await open();
  await authenticator(page);
  await page.goto(`${home}/queue`);
  check('strangers are sent to the door', page.url().includes('/sign-in'));
  await looked(page, 'sign-in');
  const first = hire('dee', 'reviewer');
  await enter(page, first);
  await page.locator('[data-passkey=register]').click();
  await page.waitForURL(/told=passkey/);
  check('an invitation is used once', (await (await open()).goto(first)).status() === 410);
  await press(page, page.getByRole('button', { name: 'Sign out' }));
  await page.locator('[data-passkey=sign-in]').click();
  await page.waitForURL(/queue/);
  check('a passkey opens the door', await page.getByText('dee').count() > 0);
  const twice = await openCase(page, 'plain-2');
  await step(page, 'Emergency');
  await step(page, 'Propose a measure', { measure: 'suspend' });
  await pending(page, twice);
  await press(page, page.getByRole('button', { name: 'Sign out' }));
  await enter(page, hire('dee-2', 'approver'));
  await page.locator('[data-passkey=register]').click();
  await page.locator('#passkey-said').waitFor({ state: 'visible' });
  check('an authenticator that is known makes no second passkey', /known here already/.test(await page.locator('#passkey-said').innerText()));
  await page.locator('[data-passkey=link]').click();
  await page.waitForURL(/told=linked/);
  await page.goto(`${home}/cases/${twice}`);
  await step(page, 'Approve what is proposed');
  check('one person with two names cannot approve', /one person/.test(await said(page)), await said(page));

  // Somebody who signs in at their own issuer, invited by address; without a script.
  const away = await open({ javaScriptEnabled: false });
  const travel = async () => {
    await away.goto(`${home}/sign-in`);
    await away.getByRole('link', { name: 'Sign in at Example' }).click();
    await away.locator('#go').click();
  };
  await travel();
  check('whoever was not invited stays outside', /was not invited/.test(await away.locator('main').innerText()));
  cli('people', 'invite', 'olu', '--role', 'reviewer', '--oidc', 'ann@corp.example');
  await travel();
  await away.waitForURL(/queue/);
  check('the issuer opens the door', await away.getByText('olu').count() > 0);
  await away.goto(`${home}/settings`);
  check('the settings say who that is there', /ann@corp.example/.test(await away.locator('main').innerText()));

  // The core journey, twice; another case rests on the first one.
  const { id, one, two, three, customer } = await core('acme-1', true);
  await core('plain-1', false);
  const ground = await openCase(one, 'acme-1');
  await step(one, 'Emergency');
  const resting = await openCase(one, 'acme-2', ground);
  await step(one, 'Emergency');
  await customer.goto(`${gateway}/fairhold/portal/cases/${ground}`);
  const form = customer.locator('form', { has: customer.locator('[value=appeal]') });
  await form.locator('[name=text]').fill('It is the same course.');
  await form.locator('button').click();
  await customer.waitForURL(/told=sent/);
  await until(three, ground, 'appealed');
  await step(three, 'Overturn', {}, 'It is the same course.');
  await until(three, ground, 'overturned');
  await until(three, resting, 'reopened');
  check('what rested on a reversed case is opened anew', true);

  // What people look at.
  for (const name of ['queue', 'findings', 'clusters', 'accounts', 'rules', 'statistics', 'ledger', 'audit', 'settings', 'help', 'held']) {
    await one.goto(`${home}/${name}`);
    await looked(one, name);
  }
  await one.goto(`${home}/cases/${resting}`);
  await looked(one, 'case');
  await one.goto(`${home}/accounts/acme-1`);
  await looked(one, 'account');
  await one.goto(`${home}/accounts`);
  await one.goto(`${home}/rules?what=level&value=0.05`);
  await one.locator('form[action="/rules/shadow"] [name=reason]').fill('fewer questions');
  await looked(one, 'rules-tried');
  await press(one, one.locator('form[action="/rules/shadow"] button.primary'));
  check('a rule is watched in the shadow', /acts on nobody/.test(await said(one)));
  await customer.goto(`${gateway}/fairhold/portal`);
  await looked(customer, 'portal');

  // Raw text is hidden until a reason is given, and that is logged.
  await one.goto(`${home}/accounts/acme-1`);
  check('text is hidden', !/quorum|Write question/.test(await one.locator('main').innerText()));
  const hidden = one.locator('details', { hasText: 'hidden' }).first();
  await hidden.locator('summary').click();
  await hidden.locator('[name=reason]').fill('to judge whether the frame is a course');
  await press(one, hidden.locator('button'));
  check('a reason shows the text', /quorum|Write question/.test(await one.locator('main').innerText()));
  await looked(one, 'text');
  await one.goto(`${home}/audit`);
  check('the reading is in the audit log', /read/.test(await one.locator('table').innerText()));

  // Keyboard only: from the queue to a decision.
  const last = await openCase(one, 'plain-2');
  await one.goto(`${home}/queue`);
  await one.keyboard.press('?');
  check('? tells the keys', await one.locator('#keys').isVisible());
  await one.keyboard.press('Escape');
  let reached = false;
  for (let n = 0; n < 12 && !reached; n += 1) {
    await one.keyboard.press('j');
    reached = await one.evaluate((want) => (document.activeElement.getAttribute('href') || '').endsWith(want), last);
  }
  check('j walks through the queue', reached);
  await one.keyboard.press('Enter');
  await one.waitForURL(new RegExp(last));
  await one.keyboard.press('c');
  await one.waitForURL(/told=claimed/);
  await one.keyboard.press('1');
  const focused = () => one.evaluate(() => document.activeElement.name || document.activeElement.textContent);
  check('1 opens the first step', (await focused()) === 'metric', await focused());
  await one.keyboard.type('exchanges a day that fill in one frame');
  await one.keyboard.press('Tab');
  await one.keyboard.type('20');
  for (const key of ['Tab', 'Tab', 'Tab', 'ArrowDown', 'Tab']) await one.keyboard.press(key);
  await one.keyboard.type('Please say what this is for.');
  await one.keyboard.press('Tab');
  await one.keyboard.press('Enter');
  await one.waitForURL(/told=held/);
  await until(one, last, 'noticed');
  check('a notice is given by keyboard only', true);

  // Many cases at once: how many is said first.
  await one.goto(`${home}/queue`);
  await one.locator('input[name=case]').first().check();
  await press(one, one.getByRole('button', { name: 'Claim …' }));
  check('a bulk act says how many before it is done', /claim 1 case/.test(await one.locator('h1').innerText()));
  await looked(one, 'bulk');

  // Data at the same address.
  const as = await one.context().request.get(`${home}/queue.json`);
  const json = await as.json();
  check('a page is data too', Array.isArray(json.cases) && json.cases.length > 0);
  const accept = await one.context().request.get(`${home}/statistics`, { headers: { accept: 'application/json' } });
  check('Accept asks for data', (await accept.json()).cases > 0);

  // Five hundred accounts that share twelve cards: the picture and the table hold all of them.
  const run = JSON.parse(readFileSync(`${data}/house/run.json`, 'utf8'));
  const admin = async (path, body) => {
    const answer = await fetch(`${run.admin}${path}`, { method: 'POST', headers: { authorization: `Bearer ${run.token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const many = Array.from({ length: 500 }, (_, n) => `many-${n}`);
  const opened = async (account) => {
    await admin('/admin/accounts', { account, project: 'many', organisation: 'many' });
    await admin(`/admin/accounts/${account}/links`, { payment: [`many-card-${Number(account.split('-')[1]) % 12}`] });
  };
  for (let from = 0; from < many.length; from += 50) await Promise.all(many.slice(from, from + 50).map(opened));
  const crowd = await openCase(one, many[0], '', many.slice(1));
  await one.goto(`${home}/cases/${crowd}/cluster`);
  const dots = await one.locator('svg.picture circle.node').evaluateAll((all) => all.map((c) => [c.getBoundingClientRect().x, c.getBoundingClientRect().y].map(Math.round).join()));
  check('each of 500 accounts has a dot of its own', dots.length === 500 && new Set(dots).size === 500, `${dots.length} ${new Set(dots).size}`);
  const rows = () => one.locator('section.scroll tbody tr').count();
  check('and a line of the table', await rows() === 500, await rows());
  await looked(one, 'cluster-500');
  await one.locator('table a', { hasText: /^3$/ }).first().click();
  await one.waitForURL(/hub=3/);
  check('a card picks those that pay with it', [41, 42].includes(await rows()), await rows());
  check('the others are dimmed', await one.locator('svg.picture circle.dim').count() === 500 - await rows());
  await one.goto(`${home}/cases/${crowd}`);
  await looked(one, 'case-500');

  // The auditor reads, verifies and changes nothing.
  const auditor = await open();
  await enter(auditor, hire('aud', 'auditor'));
  await auditor.goto(`${home}/statistics`);
  check('statistics count the overturned appeals', /3 of 3 decided/.test(await auditor.locator('main').innerText()), await auditor.locator('main').innerText());
  await auditor.goto(`${home}/ledger?seq=5`);
  check('the checkpoint holds', await auditor.getByText('the checkpoint holds').count() > 0);
  check('a record is verified', /it is in its account's ledger/.test(await auditor.locator('main').innerText()));
  await looked(auditor, 'ledger-verified');
  const signed = await auditor.locator('#checkpoint pre').innerText();
  await ask('plain-1', 'Is the page told of the next checkpoint?');
  await auditor.waitForFunction((before) => document.querySelector('#checkpoint pre').innerText !== before, signed);
  check('the next checkpoint comes by itself', await auditor.locator('#checkpoint').count() === 1 && await auditor.getByText('is in its account').count() > 0);
  await auditor.goto(`${home}/cases/${id}`);
  check('an auditor is offered no step', await auditor.locator('details[data-step]').count() === 0);
  const bundle = await auditor.context().request.get(`${home}/cases/${id}/evidence.zip`);
  check('the evidence is exported', bundle.status() === 200 && (await bundle.body()).subarray(0, 2).toString() === 'PK');

  // Forms of others, and other names of this machine.
  const cookie = (await one.context().cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
  const forged = await fetch(`${home}/cases/${last}/claim`, { method: 'POST', redirect: 'manual', headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' }, body: 'csrf=00' });
  check('a form without its token is refused', forged.status === 403, forged.status);
  const other = await customer.goto(`${gateway}/fairhold/portal/cases/${resting}`);
  check("another customer's case looks like none", other.status() === 404, other.status());
  const http = require('node:http');
  const misnamed = await new Promise((done) => http.get({ host: '127.0.0.1', port: new URL(home).port, path: '/sign-in', headers: { host: 'evil.example' } }, (answer) => done(answer.statusCode)));
  check('another name of this machine is refused', misnamed === 421, misnamed);

  // Light and dark, wide and narrow.
  const cookies = await one.context().cookies();
  for (const [look, options] of Object.entries({
    'dark': { colorScheme: 'dark' },
    'narrow': { viewport: { width: 390, height: 844 } },
  })) {
    const dressed = await open(options);
    await dressed.context().addCookies(cookies);
    for (const [name, path] of Object.entries({ queue: '/queue', case: `/cases/${resting}`, cluster: `/cases/${resting}/cluster`, statistics: '/statistics', account: '/accounts/acme-1' })) {
      await dressed.goto(`${home}${path}`);
      await looked(dressed, `${name}-${look}`);
      if (look === 'narrow') {
        const wide = await dressed.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        check(`${name} fits a narrow screen`, wide <= 1, wide);
      }
    }
  }
  await shot(two, 'two');
  check('no request left the host', report.elsewhere.length === 0, report.elsewhere.join(' '));
  check('no policy was violated', report.violations.length === 0, report.violations.join(' | '));
} catch (error) {
  report.failed = String(error.stack || error);
  for (const [n, context] of browser.contexts().entries()) {
    for (const page of context.pages()) await page.screenshot({ path: `${kept}/failed-${n}.png`, fullPage: true }).catch(() => {});
  }
} finally {
  report.seconds = (Date.now() - began) / 1000;
  writeFileSync(`${kept}/report.json`, JSON.stringify(report, null, 1));
  await browser.close();
}
const held = report.checks.filter((c) => c.holds).length;
console.log(JSON.stringify({ checks: report.checks.length, held, pages: Object.keys(report.pages).length, requests: report.requests, seconds: report.seconds }));
if (report.failed) console.error(report.failed);
// Connections that are kept alive would hold the process.
process.exit(report.failed ? 1 : 0);
