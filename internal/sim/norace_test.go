//go:build !race

package sim_test

// schedulesDefault is how many schedules the tests of the package run.
const schedulesDefault = 2000

// raced says that goroutines run in any order.
const raced = false
