// Package app is the composition root: the only place that knows all parts. It reads the configuration, opens one
// backend, and builds the roles on its ports. Nothing here decides anything about a sale.
//
//	config -> backend (embedded, services) -> roles (api, worker, keeper) -> service.Run
//
// On servers a process starts when one of the shards answers. Each is looked at before anything is written to it
// (arrival.go), those that are away as soon as they are back; until then what needs them is busy. Without the catalog's
// shard no ids are made and an api knows of no sale: it is not ready, and gets both when the shard is back. With no shard at
// all the process says so and exits; whoever supervises it starts it again.
//
// The embedded backend is one process with one shard: Redis inside the process (it dies with it), one SQLite file for
// the tables and one for the queue. A start therefore always ends the epochs that were open: they are sealed as already closed, drained
// and loaded again before anything sells. One purchase service stands behind the listener (a second one in the same
// process would only halve the batches); workers and keepers run twice, because nothing may depend on being alone.
package app
