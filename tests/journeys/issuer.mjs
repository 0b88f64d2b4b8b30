// An issuer of sign-ins (OpenID Connect) in a few lines: whoever asks is shown a button, and is Ann.
// Usage: node issuer.mjs FILE, which gets its URL.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const codes = new Map();
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

const server = createServer(async (request, response) => {
  const own = `http://localhost:${server.address().port}`;
  const url = new URL(request.url, own);
  const json = (value, status = 200) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (url.pathname === '/.well-known/openid-configuration') {
    return json({
      issuer: own, authorization_endpoint: `${own}/authorize`, token_endpoint: `${own}/token`, jwks_uri: `${own}/keys`,
      response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['ES256'],
    });
  }
  if (url.pathname === '/keys') return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', use: 'sig', alg: 'ES256' }] });
  if (url.pathname === '/authorize') {
    const asked = Object.fromEntries(url.searchParams);
    const code = randomBytes(16).toString('hex');
    codes.set(code, asked);
    const back = `${asked.redirect_uri}?code=${code}&state=${asked.state}`;
    response.writeHead(200, { 'content-type': 'text/html' });
    return response.end(`<!doctype html><html lang="en"><title>Issuer</title><link rel="icon" href="data:,"><p><a id="go" href="${back}">Go on as Ann</a></p></html>`);
  }
  if (url.pathname === '/token') {
    let text = '';
    for await (const chunk of request) text += chunk;
    const given = new URLSearchParams(text);
    const asked = codes.get(given.get('code'));
    codes.delete(given.get('code'));
    const challenge = createHash('sha256').update(given.get('code_verifier') || '').digest('base64url');
    if (!asked || challenge !== asked.code_challenge) return json({ error: 'invalid_grant' }, 400);
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: own, aud: asked.client_id, sub: 'u-1', nonce: asked.nonce, iat: now, exp: now + 60, email: 'ann@corp.example', email_verified: true };
    const body = `${part({ alg: 'ES256', kid: '1' })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    return json({ access_token: 'unused', token_type: 'Bearer', id_token: `${body}.${signature}` });
  }
  return response.writeHead(404).end();
});
server.listen(0, '127.0.0.1', () => writeFileSync(process.argv[2], `http://localhost:${server.address().port}`));
