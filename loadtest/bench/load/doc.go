// Package load sends HTTP requests at a server over many connections and measures the answers. It must cost far less than what it
// measures, so it is no HTTP client: each connection is one goroutine that writes bytes and reads status and length, and
// nothing is allocated per request.
//
// Closed loop: every connection sends its next request when it has the answer to the last one. That finds the most a server
// does, and says little about waiting.
//
// Open loop: request k is due k/rate after the beginning, whatever became of the others, and is sent by the first connection
// that is free. Its latency counts from the moment at which it was due, so a server that stands still for a second has a
// second of bad latencies and not one (coordinated omission). How late requests were sent is reported as the generator's lag;
// latencies contain it.
package load
