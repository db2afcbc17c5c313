// Package identity says who is asking: shoppers by a signed token, operators by a key.
//
// A shopper's token is a JWT whose `sub` is the user id. It is signed with one of the configured secrets (HS256; the
// first signs, all verify, so that a secret can be rotated) or by the shop's own identity provider, whose public keys
// come from a JWKS file. Built-in accounts (name and password, argon2id) exist for shops without such a provider.
//
// What must stay true:
//
//   - A key verifies exactly one algorithm. The token's header only chooses among keys, never how one is used, so a public
//     key can never be taken for an HMAC secret, and `none` does not exist.
//   - A token without an end is refused. Most are HS256 and plain enough to be verified
//     without the JWT library, which judges whatever is not; others are dear to verify and remembered, but never beyond
//     their end nor beyond the key set that verified them.
//   - Checking a password costs the same whether the account exists or not, and only so many are checked at once: whoever
//     floods the log-in gets `busy`, the sale goes on.
//   - A broken JWKS file changes nothing: the keys before it stay in force.
//
// The package authenticates; it does not decide what somebody may do, and it does no HTTP.
package identity
