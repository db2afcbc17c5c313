// Package sandbox is a payment provider without money: a server that behaves as real ones do, also when they behave badly,
// and the adapter that shops use it through. The two share nothing but what goes over the wire.
//
// # The server
//
//	POST /v1/sessions                        a payment; the same Idempotency-Key or reference finds the one there is
//	GET  /v1/sessions/{id}
//	POST /v1/sessions/{id}/expire            nothing more is paid on it
//	POST /v1/references/{reference}/expire   the same by the shop's name, also before there is such a session
//	POST /v1/refunds                         gives a charge back, once
//	GET  /v1/ledger?after=&limit=            everything that happened, as JSON lines
//	POST /v1/outage                          {"seconds": 60}: answers 503 and sends nothing for so long; 0 ends it
//	GET, POST /pay/{id}                      where people pay, and programs: {"behave": …, "delay": seconds}
//	GET  /livez
//
// What is under /v1 asks for the key as a bearer token; a pay page is known to whoever knows its address.
//
//	open --paid--> paid
//	 |`--- deadline --> expired          money arrives on an open session, and on no other: except when it is
//	 `---- expire ----> closed           asked to behave `late`, as real ones do in races
//
// # What it keeps
//
// Every change is a line of the ledger, a file, before it is answered; the state is what the lines say and is made anew from
// them at the start. A kill -9 leaves at most a torn last line, of something that nobody was told of. The machine's own
// death may cost the last lines: it is a sandbox.
//
// # Notices
//
// Each charge is told to the webhook until it has answered 2xx, with growing pauses for a day, over restarts too. The
// signature is HMAC-SHA256 over "timestamp.body" in the header Sandbox-Signature: t=…,v1=…. Options have notices come late,
// out of order and repeatedly.
package sandbox
