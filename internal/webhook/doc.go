// Package webhook tells a shop's own server of events: seckill.Endpoint as signed HTTP requests, in the form of Standard
// Webhooks (https://www.standardwebhooks.com), so that receivers find libraries that verify them. It decides nothing about
// order or retries.
//
//	POST the URL          the body is seckill.Event.Encode
//	webhook-id            the event's id, the same at every try
//	webhook-timestamp     when this try was made, in Unix seconds
//	webhook-signature     v1,base64(HMAC-SHA256(secret, id.timestamp.body)), one for each secret
//
// What Tell answers:
//
//	2xx                                              nil
//	410 Gone                                         seckill.ErrUnwanted: the receiver wants no more of it
//	any other status, redirects, no answer in time   an error: to be tried again
//
// Whoever may name a URL must not reach what stands behind our own walls with it. So no redirect is followed, no proxy
// of the environment is used, and the address is judged when the connection is made, after its name was resolved: private,
// loopback, link-local and other special ones are refused, unless the configuration says that the receiver is at such a
// place. Nothing that a receiver answers is believed but its status.
package webhook
