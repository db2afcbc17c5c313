// Package rate bounds how often each user may do something. It decides from memory, so each process has its own count.
package rate
