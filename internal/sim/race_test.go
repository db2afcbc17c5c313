//go:build race

package sim_test

// schedulesDefault is small where every access is watched: scripts/test runs them all without that.
const schedulesDefault = 100

// raced says that goroutines run in any order, so that a seed does not make a schedule what it is.
const raced = true
