// The snippet of docs/relying-parties.md in the smallest server that can hold it: /login, /callback, /logout.
import http from "node:http";
//SETUP
const kept = {};
const answers = {
  async "/login"() {
//SIGN_IN
    Object.assign(kept, { code_verifier, state, nonce });
    return { location: address.href };
  },
  async "/callback"(request) {
    const { code_verifier, state, nonce } = kept;
//CALLBACK
    kept.tokens = tokens;
    return { body: { sub, enterprise, functional_blocks } };
  },
  async "/logout"() {
    const { tokens } = kept;
//SIGN_OUT
    return { location: away.href };
  },
};
http
  .createServer(async (request, response) => {
    try {
      const { location, body } = await answers[request.url.split("?")[0]](request);
      response.writeHead(location ? 302 : 200, location ? { location } : { "content-type": "application/json" });
      response.end(JSON.stringify(body ?? {}));
    } catch (error) {
      response.writeHead(500);
      response.end(`${error.stack}\n${JSON.stringify(error.cause)}`);
    }
  })
  .listen(Number(process.env.PORT), "127.0.0.1");
